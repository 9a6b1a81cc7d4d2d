"""Cures of the rooms below, in the words of the terminal; each from the error that names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aqueduct_provider.cli.error_hints import terminal_words
from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import EnvironmentCache
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.environment.provide import provide
from aqueduct_provider.errors import AqueductError, AuthoringError, ConfigError, NotFound, WaitTimedOut
from aqueduct_provider.execution.job import read_outcome
from aqueduct_provider.process import Finished
from aqueduct_provider.sdk.local.systems import nothing
from aqueduct_provider.sdk.publishing.deletion import _wait_until_gone
from aqueduct_provider.sdk.resources.profile import Profile


def test_resources_and_stores(tmp_path: Path) -> None:
    profile = Profile.load(tmp_path / "none.toml", environ={})
    with pytest.raises(NotFound) as missing:
        profile.resource("my cluster")
    words = terminal_words(str(missing.value))
    assert words.endswith("Connect it with aqueduct-airflow connect 'my cluster' --service SERVICE.")
    with pytest.raises(AqueductError) as nowhere:
        _ = profile.store
    words = terminal_words(str(nowhere.value))
    assert "in one of three ways: --bucket my-bucket; the environment variable" in words
    both = Profile.load(tmp_path / "none.toml", environ={}, overrides={"bucket": "b", "folder": "f"})
    with pytest.raises(AqueductError) as confused:
        _ = both.store
    assert terminal_words(str(confused.value)).startswith("The options: the artifact store has both")


def test_data_systems() -> None:
    with pytest.raises(ConfigError) as missing:
        nothing("wh", "SQL Server")
    words = terminal_words(str(missing.value))
    connect = "aqueduct-airflow connect NAME --service 'SQL Server' --connection-id 'wh'."
    assert words.endswith(f"Connect one: {connect}")


def test_environments(tmp_path: Path) -> None:
    cache = EnvironmentCache(tmp_path, UvBuilder(variables=os.environ), max_bytes=1)

    def message(isolation: str, wanted: EnvironmentSpec) -> str:
        with (
            pytest.raises(AqueductError) as caught,
            provide(wanted, isolation=isolation, cache=cache, on_line=lambda *_: None),  # type: ignore[arg-type]
        ):
            raise AssertionError("there is such an environment")
        return terminal_words(str(caught.value))

    missing = message("never", EnvironmentSpec(("no-such-package",), WORKER_PYTHON))
    assert "Run it with --isolation auto, or install" in missing
    assert "airflow.cfg" not in missing
    old = message("always", EnvironmentSpec((), "3.5"))
    assert old.endswith("or run it with --missing-python download, or worker.")


def test_an_operator_that_was_interrupted(tmp_path: Path) -> None:
    with pytest.raises(AqueductError) as caught:
        read_outcome(tmp_path, Finished(-15, "", "", 1.0, timed_out=False, killed=True))
    assert terminal_words(str(caught.value)).startswith("It was interrupted; its child process")


def test_what_a_deletion_needs() -> None:
    with pytest.raises(WaitTimedOut) as caught:
        _wait_until_gone(Shown(), "churn", 0)  # type: ignore[arg-type]
    assert terminal_words(str(caught.value)).endswith("Delete the flow again later, with --artifacts.")


class Shown:
    """An Airflow that shows every DAG."""

    def dag(self, dag_id: str) -> str:
        return dag_id


def test_other_words_stay() -> None:
    error = AuthoringError("Airflow ended. client.trigger(...) sets enforce=True in airflow.cfg")
    assert terminal_words(str(error)) == str(error)
