from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aqueduct_provider.demo.local_airflow import Line, LocalAirflow
from aqueduct_provider.errors import CommandNotStarted


class Commands(LocalAirflow):
    """Runs Python instead of Airflow."""

    def __init__(self, home: Path, prepare: str = "", component: str = "") -> None:
        self._commands = Line({}, ((prepare,),) if prepare else (), (("server", component),))
        super().__init__(home)

    def line(self) -> Line:
        return self._commands

    @staticmethod
    def _argv(command: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-c", command[-1]]


def test_it_listens_on_this_machine_alone_and_only_on_its_port(tmp_path: Path) -> None:
    airflow = LocalAirflow(tmp_path)
    server, *others = airflow.line().components
    assert server == ("api-server", "--host", "127.0.0.1", "--port", str(airflow.port), "--workers", "1")
    assert others == [("dag-processor",), ("scheduler", "--skip-serve-logs")]
    assert airflow.login.url == f"http://127.0.0.1:{airflow.port}"


def test_the_callers_settings_of_airflow_and_aws_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("UV_OFFLINE", "1")
    found = LocalAirflow(tmp_path, {"AIRFLOW_CONN_X": "sqlite://"}).environment
    assert found["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AWS_PROFILE" not in found
    assert (found["UV_OFFLINE"], found["AIRFLOW_CONN_X"]) == ("1", "sqlite://")
    assert found["AIRFLOW_HOME"] == str(tmp_path)


def test_a_component_that_ends_is_an_error_with_what_it_wrote(tmp_path: Path) -> None:
    airflow = Commands(tmp_path, component="raise SystemExit('no such port')")
    with pytest.raises(
        CommandNotStarted, match=r"(?s)server ended with exit code 1; it wrote:.*no such port"
    ):
        airflow.__enter__()


def test_a_preparation_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandNotStarted, match="no database"):
        Commands(tmp_path, prepare="raise SystemExit('no database')").__enter__()
