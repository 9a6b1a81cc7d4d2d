"""This machine as the worker of a local run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from aqueduct_provider import config
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.errors import PythonNotFound, RequirementsError
from aqueduct_provider.execution.task import Worker
from aqueduct_provider.sdk.local.worker import cache_folder, local_worker, size_of
from tests.support.stored_flows import Flows, call

NOTHING = EnvironmentSpec((), WORKER_PYTHON)
OLD = EnvironmentSpec((), "3.5")


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flows:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Flows(tmp_path / "store")


def worker(flows: Flows, isolation: str = "auto", missing_python: str = "fail") -> Worker:
    spec = flows.spec(call("f", "def predict(): return 1"))
    return local_worker(spec, flows.store, isolation=isolation, missing_python=missing_python)  # type: ignore[arg-type]


def leased(worker: Worker, wanted: EnvironmentSpec) -> Path:
    with worker.provide(wanted, lambda *_: None, lambda: False) as python:
        return python.executable


def test_the_settings_are_the_defaults_of_the_provider(flows: Flows) -> None:
    made = worker(flows)
    assert made.archive_limits.max_bytes == config.archive_max_bytes()
    assert made.archive_limits.max_files == config.archive_max_files()
    assert made.output_limit == config.output_limit_bytes()
    assert made.kill_grace == config.kill_grace()
    assert made.requests == config.parallel_requests()
    assert made.allowed_variables == config.child_env_allow()
    assert size_of("environments_max_bytes") == config.environments_max_bytes()
    assert (made.store, made.variables) == (flows.store, os.environ)


def test_where_the_cache_is(flows: Flows, tmp_path: Path) -> None:
    assert worker(flows).cache_dir == tmp_path / "cache/aqueduct"
    home = Path.home() / ".cache/aqueduct"
    assert cache_folder({}) == home
    assert cache_folder({"XDG_CACHE_HOME": "not/absolute"}) == home


def test_isolation(flows: Flows, tmp_path: Path) -> None:
    assert leased(worker(flows, "auto"), NOTHING) == Path(sys.executable)
    assert leased(worker(flows, "never"), NOTHING) == Path(sys.executable)
    own = leased(worker(flows, "always"), NOTHING)
    assert own.is_relative_to(tmp_path / "cache/aqueduct/environments")
    with pytest.raises(RequirementsError, match="no-such-package"):
        leased(worker(flows, "never"), EnvironmentSpec(("no-such-package",), WORKER_PYTHON))


def test_a_python_that_is_missing(flows: Flows) -> None:
    with pytest.raises(PythonNotFound):
        leased(worker(flows), OLD)
    environment = leased(worker(flows, missing_python="worker"), OLD)
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in (
        environment.parent.parent / "pyvenv.cfg"
    ).read_text("utf-8")
