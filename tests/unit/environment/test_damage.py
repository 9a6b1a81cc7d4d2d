"""Damage of kept environments, which uv has built from a real index."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import DAMAGED, MARKER, EnvironmentCache, PythonEnvironment
from aqueduct_provider.environment.damage import discard_if_damaged, find_damage
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.errors import AqueductError, is_retryable
from tests.support.flow_runs import own_python
from tests.unit.environment.conftest import Log

SPEC = EnvironmentSpec(("alpha==1.0",), WORKER_PYTHON)


@pytest.fixture
def leased(cache: EnvironmentCache, log: Log) -> Iterator[PythonEnvironment]:
    with cache.lease(SPEC, log) as environment:
        yield environment


@pytest.fixture
def site(leased: PythonEnvironment) -> Path:
    assert leased.folder is not None
    (found,) = leased.folder.glob("lib/python*/site-packages")
    return found


def test_what_is_whole_stays(leased: PythonEnvironment) -> None:
    assert discard_if_damaged(leased, "alpha") == ""
    assert not leased.is_discarded


def _rewrite(path: Path) -> None:
    # Of the same size; in place, as a disk that fails does it.
    with path.open("r+b") as file:
        file.write(b"X")


@pytest.mark.parametrize(
    ("damage", "module", "found"),
    [
        (lambda site: (site / "alpha.py").unlink(), "alpha", "alpha.py"),
        (lambda site: (site / "alpha.py").write_text(""), "alpha.sub", "alpha.py"),
        (lambda site: _rewrite(site / "alpha.py"), "alpha", "alpha.py"),
        (lambda site: _rewrite(site / "alpha.py"), "/path/of/a/file.py", "alpha.py"),
        (lambda site: (site / "alpha-1.0.dist-info" / "RECORD").unlink(), "other", "alpha-1.0.dist-info"),
        (lambda site: (site.parents[2] / "pyvenv.cfg").unlink(), "alpha", "pyvenv.cfg"),
    ],
)
def test_damage_is_named_and_the_next_lease_builds_again(
    leased: PythonEnvironment,
    site: Path,
    cache: EnvironmentCache,
    log: Log,
    damage: Callable[[Path], None],
    module: str,
    found: str,
) -> None:
    damage(site)
    assert discard_if_damaged(leased, module).endswith(found)
    assert leased.is_discarded
    # Found by another task at the same time, it is not worse.
    assert discard_if_damaged(leased, "alpha").endswith(found) or module == "other"


def test_a_damaged_environment_is_built_without_what_uv_has_cached(cache: EnvironmentCache, log: Log) -> None:
    """uv links files to its cache, where the same damage is then."""
    with cache.lease(SPEC, log) as environment:
        assert environment.folder is not None
        (module,) = environment.folder.glob("lib/python*/site-packages/alpha.py")
        _rewrite(module)
        assert discard_if_damaged(environment, "alpha")
        assert (environment.folder / DAMAGED).exists()
    with cache.lease(SPEC, log) as environment:
        assert not environment.reused
        assert environment.folder is not None
        assert module.read_text() == "version = '1.0'\n"
        assert not (environment.folder / DAMAGED).exists()
        assert find_damage(environment.folder, ["alpha-1.0.dist-info"], "alpha") == []


def test_a_module_that_the_requirements_lack_is_not_damage(leased: PythonEnvironment, site: Path) -> None:
    (site / "alpha.py").unlink()
    assert discard_if_damaged(leased, "beta") == ""
    assert not leased.is_discarded


def test_files_without_a_digest_and_digests_of_other_kinds_are_not_checked(
    leased: PythonEnvironment, site: Path
) -> None:
    record = site / "alpha-1.0.dist-info" / "RECORD"
    size = (site / "alpha.py").stat().st_size
    record.write_text(f"alpha.py,no-such-kind=abc,{size}\nalpha-1.0.dist-info/RECORD,,\ngone.pyc,,\n")
    assert discard_if_damaged(leased, "alpha") == ""


def test_an_older_marker_does_not_know_its_distributions(leased: PythonEnvironment, site: Path) -> None:
    assert leased.folder is not None
    marker = leased.folder / MARKER
    facts = json.loads(marker.read_text())
    assert facts.pop("distributions") == ["alpha-1.0.dist-info"]
    marker.write_text(json.dumps(facts))
    os.replace(site / "alpha-1.0.dist-info", site / "elsewhere")  # noqa: PTH105
    assert discard_if_damaged(leased, "alpha") == ""


def test_the_workers_own_python_is_not_ours_to_repair() -> None:
    with own_python() as environment:
        assert discard_if_damaged(environment, "no_such_module") == ""
        assert not environment.is_discarded


def test_a_full_disk_under_the_root_is_named(builder: UvBuilder, log: Log, small_disk: Path) -> None:
    (small_disk / "filling").write_bytes(b"x" * 999_000)
    cache = EnvironmentCache(small_disk / "root", builder, 1)
    with (
        pytest.raises(AqueductError, match=rf"(?s){small_disk}.*The disk was full") as caught,
        cache.lease(SPEC, log),
    ):
        pass
    assert is_retryable(caught.value)
