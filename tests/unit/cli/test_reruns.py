"""Replays and resumed runs on the command line."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.places import Place

Captured = pytest.CaptureFixture[str]


def test_a_value_is_printed(place: Place, capsys: Captured) -> None:
    assert place.main("replay", "churn", place.runs["good"], "total") == 0
    assert capsys.readouterr().out == "6\n"


def test_a_failure_is_the_users_traceback(place: Place, capsys: Captured) -> None:
    assert place.main("replay", "churn", place.runs["bad"], "features") == 1
    out, err = capsys.readouterr()
    assert out == "-1 rows are made\n"
    lines = err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "in features" in lines[1]
    assert lines[-1] == "ValueError: rows must not be negative"
    assert "aqueduct_provider/" not in err


def test_what_cannot_be_replayed_is_one_message(place: Place, capsys: Captured) -> None:
    assert place.main("replay", "churn", place.runs["bad"], "total") == 1
    assert capsys.readouterr().err.startswith("aqueduct-airflow: 'total' of run ")
    assert place.main("replay", "churn", place.runs["good"], "total", "--debug", "--isolated") == 1
    assert "Use one of them" in capsys.readouterr().err


def test_resume(place: Place, capsys: Captured) -> None:
    place.made.publish("again", artifacts=place.made.author())
    run = place.made.run("again", rows=-1)
    assert place.main("resume", "again", run.run_id) == 0
    assert capsys.readouterr().out.endswith(f"Resumed 'again': {run.run_id}\n{run.url()}\n")
    assert place.main("resume", "again", "latest") == 1
    assert "only a failed run can be resumed" in capsys.readouterr().err
    place.made.work(run.run_id, "again")
    assert place.main("resume", "again", "latest", "--latest", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["run_id"], shown["status"]) == (run.run_id, "pending")
    place.made.client.delete_flow("again", artifacts=True, force=True)
