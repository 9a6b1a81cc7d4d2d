"""A native spec in the DAG folder: runs with and without a parameter value, checks, user errors."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from aqueduct_provider.spec.run_values import VALUES_KEY, StoredValue, to_conf, value_digest
from aqueduct_provider.storage.layout import FlowLayout
from tests.integration.client import ApiError
from tests.integration.flow_place import Place
from tests.integration.native_draft import Draft


def double(number: float) -> float:
    return number * 2


def above_ten(number: float) -> bool:
    return number > 10


def above_a_million(number: float) -> bool:
    print("looked at", number)
    return number > 1_000_000


@pytest.fixture(scope="module")
def flow(place: Place) -> Iterator[Draft]:
    draft = place.draft("native_flow", description="Doubles a *number*.")
    draft.parameter("number", "numeric", 21, "What is doubled.")
    draft.call(double, "number", outputs={"doubled": "numeric"}, kind="metric")
    draft.call(above_ten, "doubled", outputs={"big": "boolean"}, kind="check", retries=2, retry_delay=1.0)
    draft.call(above_a_million, "doubled", outputs={"huge": "boolean"}, kind="check", severity="warning")
    with place.published(draft):
        yield draft


@pytest.mark.parametrize(("conf", "doubled"), [({}, 42), ({"number": 50}, 100)])
def test_a_run_leaves_its_artifacts(
    place: Place, flow: Draft, conf: dict[str, float], doubled: float
) -> None:
    run_id, state = place.run(flow.dag_id, conf)
    assert state == "success", place.client.states(flow.dag_id, run_id)
    content, metadata = place.artifact(flow, run_id, "doubled")
    assert json.loads(content) == doubled
    assert metadata["artifact_type"] == "numeric"
    assert json.loads(place.artifact(flow, run_id, "number")[0]) == doubled / 2


def test_a_failed_warning_leaves_the_task_green_and_is_told(place: Place, flow: Draft) -> None:
    run_id, state = place.run(flow.dag_id)
    assert state == "success"
    assert place.client.states(flow.dag_id, run_id)["above_a_million"] == "success"
    told = place.exec_state(flow, run_id, "above_a_million")
    assert (told["status"], told["failure_type"]) == ("failed", 3)
    assert told["user_logs"]["stdout"] == "looked at 42\n"
    manifest = place.client.xcoms(flow.dag_id, run_id, "above_a_million")["return_value"]
    assert manifest["status"] == "warning"
    assert "did not pass" in place.client.log(flow.dag_id, run_id, "above_a_million")


def test_a_failed_check_fails_its_task_without_using_retries(place: Place, flow: Draft) -> None:
    run_id, state = place.run(flow.dag_id, {"number": 2})
    assert state == "failed"
    task = place.client.tasks(flow.dag_id, run_id)["above_ten"]
    assert (task["state"], task["try_number"]) == ("failed", 1)
    assert json.loads(place.artifact(flow, run_id, "big")[0]) is False
    told = place.exec_state(flow, run_id, "above_ten")
    assert (told["status"], told["failure_type"]) == ("failed", 2)
    assert told["error"]["tip"] == "The check did not pass (returned False)."


def test_a_value_of_the_wrong_type_is_refused_at_once(place: Place, flow: Draft) -> None:
    with pytest.raises(ApiError) as refused:
        place.client.trigger(flow.dag_id, {"number": "many"})
    assert refused.value.status == 400
    assert "number" in str(refused.value)


def count(bottles: set[str]) -> int:
    return len(bottles)


def test_a_value_that_is_no_json_is_given_by_key(place: Place) -> None:
    draft = place.draft("given_by_key")
    draft.parameter("bottles", "untyped", [])
    draft.call(count, "bottles", outputs={"number": "numeric"})
    data = pickle.dumps({"Barolo", "Barbera"})
    digest = value_digest(hashlib.sha256(data).hexdigest(), "pickle")
    value = StoredValue(digest, "pickle", "picklable")
    key = f"native/{FlowLayout(draft.flow_id).value(value.sha256)}"
    place.s3.put_object(Bucket=place.bucket, Key=key, Body=data)
    with place.published(draft) as dag_id:
        run_id, state = place.run(dag_id, to_conf({"bottles": value}))
        wrong_id, wrong_state = place.run(dag_id, {VALUES_KEY: {"bottles": {"sha256": "../x"}}})
        log = place.client.log(dag_id, wrong_id, "bottles")
    assert state == "success"
    assert json.loads(place.artifact(draft, run_id, "number")[0]) == 2
    assert place.artifact(draft, run_id, "bottles")[1]["artifact_type"] == "picklable"
    assert place.exec_state(draft, run_id, "count")["version"] == draft.version
    assert wrong_state == "failed"
    assert "$.aqueduct_values.bottles.sha256" in log


def test_the_event_of_the_flow_says_what_the_run_found(place: Place, flow: Draft) -> None:
    run_id, state = place.run(flow.dag_id)
    assert state == "success"
    (event,) = place.client.asset_events(flow.dag_id, run_id)
    assert event["extra"]["metrics"] == {"doubled": 42}
    assert event["extra"]["checks"] == {"above_ten": "passed", "above_a_million": "warning"}


def test_each_task_leads_to_its_page(place: Place, flow: Draft) -> None:
    run_id, _ = place.run(flow.dag_id)
    for task_id in ("number", "above_ten"):
        (path,) = place.client.links(flow.dag_id, run_id, task_id).values()
        assert path == f"/aqueduct/dags/{flow.dag_id}/runs/{quote(run_id, safe='')}/tasks/{task_id}"


def test_descriptions_and_params_are_shown(place: Place, flow: Draft) -> None:
    details = place.client.details(flow.dag_id)
    assert "Doubles a *number*." in details["doc_md"]
    param = details["params"]["number"]
    assert param["value"] == 21
    assert param["schema"]["type"] == "number"


def opens_the_cellar() -> int:
    shelf: dict[str, int] = {}
    return shelf["Barolo"]


def test_a_user_error_is_shown_once_from_the_users_first_frame_on(place: Place) -> None:
    draft = place.draft("user_error")
    draft.call(opens_the_cellar, outputs={"bottles": "numeric"})
    with place.published(draft) as dag_id:
        run_id, state = place.run(dag_id)
        log = place.client.log(dag_id, run_id, "opens_the_cellar")
    assert state == "failed"
    assert log.count("in opens_the_cellar") == 1
    assert "KeyError: 'Barolo'" in log
    assert "invoke.py" not in log
    told = place.exec_state(draft, run_id, "opens_the_cellar")
    assert (told["status"], told["failure_type"]) == ("failed", 2)
    context = told["error"]["context"]
    assert context.startswith("Traceback")
    assert context.count("in opens_the_cellar") == 1
    assert context.rstrip().endswith("KeyError: 'Barolo'")
    assert "aqueduct_provider" not in context
    assert "model.py" not in context
