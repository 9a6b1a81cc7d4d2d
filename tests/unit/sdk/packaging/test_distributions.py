from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.sdk.packaging.distributions import Owner, coverage, owners_of, parsed
from tests.support.installed_distributions import install


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_a_requirement_brings_its_modules_and_what_it_requires(site: Path) -> None:
    install(
        site, "own-learn", requires=("own-math>=1", "never; sys_platform == 'none'"), top_level="ownlearn"
    )
    install(
        site, "own-math", requires=("own-learn",), files=("ownmath/__init__.py", "_ownmath.py", "../bin/x")
    )
    install(site, "never", top_level="nevermod")
    found = coverage(("Own_Learn[none]>=1",))
    assert found.installed == {"own-learn", "own-math"}
    for module in ("ownlearn", "ownmath", "_ownmath", "own_learn", "own_math"):
        assert found.covers(module), module
    for module in ("nevermod", "never", "not_a_header", "json", "pytest", "ownmath-1"):
        assert not found.covers(module), module


def test_extras_count_when_they_are_asked_for(site: Path) -> None:
    install(
        site, "own-io", requires=('own-s3; extra == "s3"', 'own-all[s3]; extra == "all"'), top_level="ownio"
    )
    install(site, "own-s3", top_level="owns3")
    install(site, "own-all", requires=('own-gcs; extra == "s3"',), top_level="ownall")
    install(site, "own-gcs", top_level="owngcs")
    assert not coverage(("own-io",)).covers("owns3")
    assert coverage(("own-io[s3]",)).installed == {"own-io", "own-s3"}
    assert coverage(("own-io[all]; python_version > '3'",)).installed == {"own-io", "own-all", "own-gcs"}


def test_what_is_not_installed_where_operators_run_does_not_count(site: Path) -> None:
    install(site, "own-learn", requires=("own-win; sys_platform == 'win32'",), top_level="ownlearn")
    install(site, "own-win", top_level="ownwin")
    line = "Own_Learn; sys_platform == 'win32'"
    found = coverage((line, "missing; python_version < '3'"))
    assert found.is_nothing
    assert not found.covers("ownlearn")
    assert not found.covers("missing")
    assert found.exclusion(["own-learn"]) == line
    assert found.exclusion(["other"]) == ""
    # Another line may still bring it along.
    found = coverage((line, "own-learn"))
    assert found.covers("ownlearn")
    assert not found.covers("ownwin")
    assert not found.is_nothing
    assert not coverage(()).is_nothing


def test_what_is_not_installed_here_is_known_by_name(site: Path) -> None:
    install(site, "own-vision-python", top_level="ownv2")
    found = coverage(("own-vision-python-headless==4", "missing_module[x] @ https://example.com/m.zip"))
    assert found.unchecked == {"own-vision-python-headless", "missing-module"}
    assert found.covers("missing_module")
    # Another build of the package that is installed here.
    assert found.covers("ownv2")
    assert not found.holds("ownv2")
    assert not found.covers("pytest")
    assert not coverage(()).covers("missing_module")


def test_who_a_module_comes_from(site: Path) -> None:
    install(site, "own-learn", "1.5+local.1", top_level="ownlearn\nshared")
    install(site, "Own.Other", "2.0", files=("shared/x.py",))
    assert owners_of("ownlearn") == (Owner("own-learn", "1.5+local.1"),)
    assert owners_of("ownlearn")[0].requirement == "own-learn==1.5"
    assert {owner.name for owner in owners_of("shared")} == {"own-learn", "own-other"}
    assert owners_of("own_learn")[0].name == "own-learn"
    assert owners_of("json") == ()


def test_what_is_installed_while_the_process_runs_is_seen(site: Path) -> None:
    assert not coverage(("own-late",)).installed
    assert owners_of("ownlate") == ()
    install(site, "own-late", top_level="ownlate")
    assert coverage(("own-late",)).installed == {"own-late"}
    assert owners_of("ownlate") == (Owner("own-late", "1.0"),)


def test_an_editable_install_holds_the_packages_of_its_folder(site: Path, tmp_path: Path) -> None:
    (tmp_path / "src/acme").mkdir(parents=True)
    (tmp_path / "src/acme/__init__.py").touch()
    (tmp_path / "src/notes").mkdir()
    install(site, "acme-tools", files=("_acme_tools.pth",))
    (site / "_acme_tools.pth").write_text(f"import nothing\n{tmp_path / 'src'}\n")
    assert coverage(("acme-tools",)).covers("acme")
    assert not coverage(("acme-tools",)).covers("notes")


def test_what_is_not_a_requirement_has_been_refused_before() -> None:
    with pytest.raises(ValueError, match="not a requirement"):
        parsed("a b")
