"""What lies in the store, or comes from Airflow, does not steer the terminal."""

from __future__ import annotations

import json

import pytest

from aqueduct_provider.storage.layout import NativeLayout
from tests.unit.cli.places import Place

Captured = pytest.CaptureFixture[str]
ATTACK = "\x1b[1A\x1b[2Kchurn: succeeded\x9b1A\u202e"
ESCAPED = r"\x1b[1A\x1b[2Kchurn: succeeded\x9b1A\u202e"


def test_a_forged_exec_state(place: Place, capsys: Captured) -> None:
    store, flow = place.made.store, place.made.client.flow("churn")
    (operator,) = (one for one in flow.spec.operators if one.name == "features")
    key = NativeLayout(str(flow.id()), place.runs["bad"]).exec_state(operator.id)
    document = json.loads(store.get(key))
    document["error"] = {"tip": f"tip {ATTACK}", "context": f"context {ATTACK}"}
    document["user_logs"] = {"stdout": f"out {ATTACK}", "stderr": f"err {ATTACK}"}
    store.put(key, json.dumps(document).encode())

    assert place.main("show", "churn", place.runs["bad"]) == 0

    out = capsys.readouterr().out
    for part in ("tip", "context", "out", "err"):
        assert f"{part} {ESCAPED}" in out
    assert not set(out) & set("\x1b\x9b\u202e")


def test_a_log(place: Place, capsys: Captured) -> None:
    run = place.made.fake.dags["churn"].runs[place.runs["good"]]
    run.tasks["features"].logs[1] = f"line {ATTACK}\n\x1b[32mgreen\x1b[0m"
    assert place.main("logs", "churn", place.runs["good"], "features") == 0
    # Below what the functions have printed.
    assert capsys.readouterr().out.endswith(f"---\nline {ESCAPED}\ngreen\n")


def test_an_artifact_that_nothing_vouches_for(place: Place, capsys: Captured) -> None:
    store, flow = place.made.store, place.made.client.flow("kinds")
    (greeting,) = (one for one in flow.spec.artifacts if one.name == "greeting")
    layout = NativeLayout(str(flow.id()), place.runs["kinds"])
    store.put(layout.content(greeting.id), ATTACK.encode())
    place.made.fake.dags["kinds"].runs.clear()
    assert place.main("artifact", "kinds", place.runs["kinds"], "greeting") == 0
    assert capsys.readouterr().out == f"{ESCAPED}\n"


def test_a_description(place: Place, capsys: Captured) -> None:
    place.made.publish("described", description=f"Counts {ATTACK}\nrows.")
    capsys.readouterr()
    assert place.main("show", "described") == 0
    assert f"\nCounts {ESCAPED}\nrows.\n" in capsys.readouterr().out


def test_an_error_of_a_server(place: Place, capsys: Captured) -> None:
    body = json.dumps({"detail": f"No {ATTACK}"}).encode()
    place.made.fake.fail(403, path="dagRuns", method="GET", body=body)
    assert place.main("runs", "churn") == 1
    err = capsys.readouterr().err
    assert "No " in err
    assert not set(err) & set("\x1b\x9b\u202e")
