"""Errors of the SDK end with a hint in the words of the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.cli import main
from tests.unit.cli.places import Place

Captured = pytest.CaptureFixture[str]


def test_resources_and_stores(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AQUEDUCT_BUCKET", raising=False)
    config = ["--config", str(tmp_path / "none.toml")]
    assert main(["flows", *config]) == 1
    assert capsys.readouterr().err.endswith("Or give --bucket NAME, or --folder DIR.\n")
    assert main(["test", "my wh", "--folder", str(tmp_path), *config]) == 1
    told = capsys.readouterr().err
    assert told.endswith("Connect it with aqueduct-airflow connect 'my wh' --service SERVICE.\n")


def test_a_flow_whose_airflow_is_not_connected_here(place: Place, tmp_path: Path, capsys: Captured) -> None:
    options = [*place.options, "--config", str(tmp_path / "none.toml")]
    assert main(["status", "churn", *options]) == 1
    assert "Connect it with aqueduct-airflow connect cluster --service SERVICE." in capsys.readouterr().out
    assert main(["status", "churn", "--json", *options]) == 1
    assert "Connect it with client.connect_resource('cluster', service, {...})." in capsys.readouterr().out
