"""Two runs next to each other on the command line."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.places import Place

Captured = pytest.CaptureFixture[str]


def test_two_runs(place: Place, capsys: Captured) -> None:
    good, bad = place.runs["good"], place.runs["bad"]
    assert place.main("compare", "churn", good, bad) == 0
    out, err = capsys.readouterr()
    assert err == ""
    head, *lines = out.splitlines()
    assert head.split() == ["before", "now", "difference"]
    assert lines[0].split() == ["Run", "id", good, bad]
    assert any(line.split()[:4] == ["*", "Outcome", "succeeded", "failed"] for line in lines)
    assert place.main("compare", "churn", good, "latest", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["before"]["run_id"], document["before"]["status"]) == (good, "succeeded")
    assert [row["name"] for row in document["sections"]["metrics"]] == ["total"]


def test_a_run_that_is_not_there(place: Place, capsys: Captured) -> None:
    assert place.main("compare", "churn", "latest", "r1") == 1
    assert "'churn' has no run 'r1'" in capsys.readouterr().err
