"""Spellings, fingerprints, and what this very interpreter has."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from aqueduct_provider.environment.fingerprint import (
    WORKER_PYTHON,
    EnvironmentSpec,
    fingerprint,
    normalise,
    parse_python_version,
    parse_requirements_file,
    satisfied_by_worker,
    unsatisfied,
)
from aqueduct_provider.errors import RequirementsError

PYTEST = version("pytest")


def test_normalise_gives_one_spelling() -> None:
    one = normalise(["Foo_Bar [B,a] >=1, <2", "", "# nothing", "foo-bar[a,b]<2,>=1  # why", "a==1"])
    assert one == ("a==1", "foo-bar[a,b]<2,>=1")


def test_normalise_is_idempotent() -> None:
    lines = ["X.y ; python_version<'3.9'", "z @ https://host/z-1.zip#sha256=ab", "q[E]~=1.0"]
    assert normalise(normalise(lines)) == normalise(lines)


def test_requirements_file() -> None:
    text = "\ufeff# head\r\nsix==1.16 \\\r\n  ; python_version >= '3'\r\n\r\ncloudpickle==3.0.0\n"
    assert parse_requirements_file(text) == ("cloudpickle==3.0.0", 'six==1.16; python_version >= "3"')


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("-r other.txt", "put the lines of that file here"),
        ("--index-url https://me:hunter2@host", "set on Airflow's workers"),
        ("-e .", "names a folder of this machine"),
        ("-c limits.txt", "is not applied"),
        ("six==1 --hash=x", "uv export --no-hashes"),
    ],
)
def test_options_are_refused(option: str, problem: str) -> None:
    with pytest.raises(RequirementsError, match=r"^Requirement line 3: ") as caught:
        parse_requirements_file(f"six\n\n{option}\n")
    assert problem in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_wheels_that_lie_on_the_worker_are_taken() -> None:
    assert normalise(["six @ file:///opt/wheels/six.whl"]) == ("six @ file:///opt/wheels/six.whl",)


@pytest.mark.parametrize(
    "line", ["not a name", "six=1", "./local.whl", "https://host/x.whl", "six @ ./x.whl"]
)
def test_bad_lines_are_named(line: str) -> None:
    with pytest.raises(RequirementsError) as caught:
        normalise(["six", line])
    assert f"line 2: {line!r} " in str(caught.value)
    assert "; write 'name" in str(caught.value) or "name @ https://" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["3.11", "3.11.7\n", "Python 3.11.7", "python3.11", "3.11.0rc1"])
def test_python_version(text: str) -> None:
    assert parse_python_version(text) == "3.11"


@pytest.mark.parametrize("text", ["", "2.7", "3", "3.x", "latest"])
def test_no_python_version(text: str) -> None:
    with pytest.raises(RequirementsError, match=r"write it as 3\.11"):
        parse_python_version(text)


def test_fingerprint_is_stable() -> None:
    # Names of environments on disk: a change makes every worker build all of them anew.
    name = fingerprint(EnvironmentSpec(("cloudpickle==3.1.0", "six"), "3.11"), "linux-x86_64")
    assert name == "538074aa27063a8ce5de50d55458bf6a4b55768a00e4967dc216c2b2caf14010"


def test_fingerprint_tells_environments_apart() -> None:
    specs = [
        (EnvironmentSpec(("six",), "3.11"), "linux"),
        (EnvironmentSpec(("six",), "3.12"), "linux"),
        (EnvironmentSpec(("six==1",), "3.11"), "linux"),
        (EnvironmentSpec(("six", "x"), "3.11"), "linux"),
        (EnvironmentSpec(("six",), "3.11"), "darwin"),
    ]
    assert len({fingerprint(*spec) for spec in specs}) == len(specs)


@pytest.mark.parametrize(
    ("requirements", "python", "answer"),
    [
        ((), WORKER_PYTHON, True),
        ((), "3.7", False),
        ((f"pytest=={PYTEST}", "packaging>=1"), WORKER_PYTHON, True),
        (("pytest<1",), WORKER_PYTHON, False),
        (("no-such-package-aqx",), WORKER_PYTHON, False),
        (('no-such-package-aqx; python_version < "3"',), WORKER_PYTHON, True),
        (('pytest<1; python_version > "3"',), WORKER_PYTHON, False),
        ((f"pytest @ https://host/pytest-{PYTEST}.whl",), WORKER_PYTHON, False),
    ],
)
def test_satisfied_by_worker(requirements: tuple[str, ...], python: str, answer: bool) -> None:
    assert satisfied_by_worker(EnvironmentSpec(requirements, python)) is answer


def test_unsatisfied_says_what_is_there() -> None:
    found = [str(item) for item in unsatisfied(["pytest<1", "no-such-package-aqx>=2", "packaging"])]
    assert found == [f"pytest<1 (has {PYTEST})", "no-such-package-aqx>=2 (not installed)"]


@pytest.fixture
def other_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages in place of this interpreter's own."""
    monkeypatch.setattr("site.getsitepackages", lambda: [str(tmp_path)])
    return tmp_path


def install(folder: Path, name: str, version: str, *requires: str) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")


def test_extras_need_their_dependencies(other_python: Path) -> None:
    install(other_python, "base", "1.0", 'part>=2; extra == "more"', 'base[more]; extra == "all"', "plain")
    assert unsatisfied(["base", "base[unknown]"]) == ()
    assert [item.requirement for item in unsatisfied(["base[all]"])] == ['part>=2; extra == "more"']
    install(other_python, "part", "2.1")
    assert unsatisfied(["base[all]"]) == ()


def test_extras_that_need_each_other_end(other_python: Path) -> None:
    install(other_python, "base", "1.0", 'base[b]; extra == "a"', 'base[a]; extra == "b"')
    assert unsatisfied(["base[a]"]) == ()


def test_prereleases_that_are_installed_count(other_python: Path) -> None:
    install(other_python, "base", "2.0rc1")
    assert unsatisfied(["base>=1"]) == ()
    assert unsatisfied(["base>=2"]) != ()


def test_what_only_the_user_site_has_does_not_count(tmp_path: Path) -> None:
    # The job runs with "python -I", which sees neither PYTHONPATH nor the user's site-packages.
    install(tmp_path, "elsewhere", "1.0")
    code = (
        "from importlib.metadata import version\n"
        "from aqueduct_provider.environment.fingerprint import unsatisfied\n"
        "print(version('elsewhere'), *unsatisfied(['elsewhere']))"
    )
    path = {"PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=True)
    assert done.stdout == "1.0 elsewhere (not installed)\n"


def test_constraints_are_a_part_of_what_an_environment_is() -> None:
    plain = EnvironmentSpec(("pytest",), WORKER_PYTHON)
    bounded = EnvironmentSpec(("pytest",), WORKER_PYTHON, ("pytest<1",))
    assert fingerprint(plain, "linux") != fingerprint(bounded, "linux")
    assert satisfied_by_worker(plain)
    assert not satisfied_by_worker(bounded)
    for harmless in ("not-there<1", "hypothesis<1"):
        assert satisfied_by_worker(EnvironmentSpec(("pytest",), WORKER_PYTHON, (harmless,)))
    # What pytest needs itself.
    (outside,) = unsatisfied(["pytest"], ["pluggy<0.1", "hypothesis<1"])
    assert str(outside).startswith("pluggy<0.1 (has ")
