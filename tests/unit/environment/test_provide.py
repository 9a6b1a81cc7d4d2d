"""Which Python an operator gets."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from aqueduct_provider.environment.cache import WORKER, EnvironmentCache, PythonEnvironment
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.environment.provide import Isolation, provide
from aqueduct_provider.errors import PythonNotFound, RequirementsError

from .conftest import Log

PYTEST = f"pytest=={version('pytest')}"


class Ask:
    """Asks for a Python and gives it back."""

    def __init__(self, cache: EnvironmentCache, log: Log) -> None:
        self.cache = cache
        self.log = log

    def __call__(
        self, isolation: Isolation, *requirements: str, python: str = WORKER_PYTHON
    ) -> PythonEnvironment:
        asked = EnvironmentSpec(requirements, python)
        with provide(asked, isolation=isolation, cache=self.cache, on_line=self.log) as environment:
            return environment


@pytest.fixture
def ask(cache: EnvironmentCache, log: Log) -> Ask:
    return Ask(cache, log)


def is_workers(environment: PythonEnvironment) -> bool:
    return environment == PythonEnvironment(Path(sys.executable), WORKER, reused=True, build_seconds=0.0)


def test_auto_takes_the_workers_own_when_it_satisfies_all(ask: Ask, tmp_path: Path) -> None:
    assert is_workers(ask("auto", PYTEST, "packaging"))
    assert not (tmp_path / "root").exists()


def test_auto_builds_otherwise(ask: Ask) -> None:
    environment = ask("auto", "alpha")
    assert not is_workers(environment)
    assert environment.executable.exists()
    assert ask("auto", "alpha").reused


def test_always_builds(ask: Ask) -> None:
    assert not is_workers(ask("always"))


def test_requirements_may_be_as_people_write_them(ask: Ask) -> None:
    one = ask("always", "Alpha >= 1  # why", "")
    assert ask("always", "alpha>=1", python=f"{WORKER_PYTHON}.1").fingerprint == one.fingerprint


@pytest.mark.parametrize("isolation", ["auto", "always", "never"])
def test_bad_requirements_are_errors(ask: Ask, isolation: Isolation) -> None:
    with pytest.raises(RequirementsError, match=r"line 2: '-r x' .* put the lines of that file here"):
        ask(isolation, "alpha", "-r x")


def test_never_takes_the_workers_own(ask: Ask, log: Log) -> None:
    assert is_workers(ask("never", PYTEST))
    assert log.lines == []


def test_never_warns_of_other_versions(ask: Ask, log: Log) -> None:
    assert is_workers(ask("never", "pytest<1"))
    has = version("pytest")
    assert log.lines == [f"Warning: the operator asks for pytest<1 (has {has}); isolation = never."]


def test_never_fails_for_what_is_missing(ask: Ask) -> None:
    with pytest.raises(RequirementsError, match=r"lacks alpha, beta>=2, and .*isolation = auto"):
        ask("never", "beta>=2", "alpha", "pytest<1")


def test_never_fails_for_another_python(ask: Ask) -> None:
    with pytest.raises(
        PythonNotFound, match=rf"asks for Python 3\.7.*own, {WORKER_PYTHON}\..*isolation = auto"
    ):
        ask("never", python="3.7")
