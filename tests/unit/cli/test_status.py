"""``status``: a table for people, JSON and an exit code for monitors."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from aqueduct_provider.cli import main
from tests.unit.cli.places import Place

Captured = pytest.CaptureFixture[str]
KEYS = [
    *("name", "dag_id", "engine", "state", "version_id", "published_at"),
    *("airflow_version_id", "stale_since", "paused", "problem", "version", "airflow_version"),
]


def test_all_is_well(place: Place, capsys: Captured) -> None:
    assert place.main("status") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["flow", "state", "engine", "version", "published", "in", "Airflow"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["churn", "current", "cluster"],
        ["kinds", "current", "cluster"],
    ]
    for line in lines[1:]:
        (published, shown) = re.findall(r"v1 \([0-9a-f]{8}\)", line)
        assert published == shown
    assert place.main("status", "churn", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert list(found) == KEYS
    assert (found["state"], found["stale_since"], found["paused"]) == ("current", None, False)
    assert found["airflow_version_id"] == found["version_id"]
    assert datetime.fromisoformat(found["published_at"]).tzinfo is not None


def test_a_version_that_airflow_lacks(place: Place, capsys: Captured) -> None:
    dag = place.made.fake.dags["churn"]
    description, dag.description = dag.description, ""
    try:
        assert place.main("status", "--json") == 1
        churn, kinds = json.loads(capsys.readouterr().out)
        assert (churn["state"], kinds["state"]) == ("stale", "current")
        assert churn["stale_since"] == churn["published_at"]
        assert place.main("status", "churn") == 1
        assert place.main("status", "kinds") == 0
    finally:
        dag.description = description


def test_an_airflow_that_is_away(place: Place, capsys: Captured) -> None:
    with place.made.away():
        assert place.main("status") == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("unreachable") == 2


def test_nothing_is_published(tmp_path: Path, capsys: Captured) -> None:
    options = ["--folder", str(tmp_path), "--config", str(tmp_path / "none.toml")]
    assert main(["status", *options]) == 0
    assert capsys.readouterr().out == "No flow is published.\n"
    assert main(["status", "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out) == []
