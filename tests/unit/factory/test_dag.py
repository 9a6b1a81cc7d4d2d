from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from aqueduct_provider import config
from aqueduct_provider.compat import DAG
from aqueduct_provider.errors import SpecError
from aqueduct_provider.factory.dag import START_DATE, dag_of
from aqueduct_provider.factory.dag_schedule import asset_of
from aqueduct_provider.factory.tasks import TIMEOUT_MARGIN
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import (
    FLOW_ID,
    STORAGE,
    VERSION_ID,
    call_operator,
    compiled_document,
    extract_task,
    function_task,
    load_task,
    native_document,
)

Serialize = Callable[[Any], dict[str, Any]]


def spec_of(document: dict[str, Any]) -> WorkflowSpec:
    return parse(json.dumps(document).encode(), "churn.json")


def dag_with(**overrides: Any) -> Any:
    return dag_of(spec_of(native_document(**overrides)), source="churn.json", fileloc="/dags/loader.py")


def flow(**fields: Any) -> dict[str, Any]:
    return {"id": FLOW_ID, "name": "churn", **fields}


@pytest.mark.parametrize("document", [native_document(), compiled_document()])
def test_the_contract_of_a_dag(document: dict[str, Any], serialized: Serialize) -> None:
    dag = dag_of(spec_of(document), source="churn.json", fileloc="/dags/loader.py")
    assert dag.dag_id == "churn"
    assert ("aqueduct" in dag.tags, VERSION_ID in dag.tags) == (True, "task_specs" in document)
    assert dag.catchup is False
    assert dag.start_date == START_DATE == datetime(2022, 1, 1, 1, tzinfo=timezone.utc)
    assert dag.is_paused_upon_creation is False
    assert dag.fileloc == "/dags/loader.py"
    assert list(dag.task_dict)[:7] == [
        "threshold",
        "features",
        "train",
        "accuracy",
        "good_enough",
        "no_drift",
        "train_runtime",
    ]
    assert dag.task_dict["features"].upstream_task_ids == {"threshold"}
    assert dag.task_dict["train"].downstream_task_ids == {"accuracy", "train_runtime"}
    assert list(dag.params) == ["threshold"]
    assert len(serialized(dag)["dag"]["tasks"]) == len(dag.tasks)


def test_a_flow_without_schedule_runs_only_by_hand() -> None:
    assert dag_with(schedule=None).timetable.can_be_scheduled is False
    document = compiled_document(cron_schedule="")
    assert dag_of(spec_of(document), source="c.json", fileloc="").timetable.can_be_scheduled is False


def run_times(stored_dag: Any, first: datetime, count: int) -> list[str]:
    from airflow.timetables.base import DataInterval, TimeRestriction

    restriction = TimeRestriction(earliest=None, latest=None, catchup=True)
    times, last = [], DataInterval.exact(_pendulum(first))
    for _ in range(count):
        run = stored_dag.timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        )
        last = run.data_interval
        times.append(run.run_after.isoformat())
    return times


def _pendulum(time: datetime) -> Any:
    import pendulum

    return pendulum.instance(time)


def test_cron_runs_at_local_time_on_both_sides_of_a_clock_change(stored: Callable[[Any], Any]) -> None:
    dag = stored(dag_with())
    assert run_times(dag, datetime(2026, 3, 27, 5, tzinfo=timezone.utc), 3) == [
        "2026-03-28T05:00:00+00:00",
        "2026-03-29T04:00:00+00:00",
        "2026-03-30T04:00:00+00:00",
    ]
    assert run_times(dag, datetime(2026, 10, 23, 4, tzinfo=timezone.utc), 3) == [
        "2026-10-24T04:00:00+00:00",
        "2026-10-25T05:00:00+00:00",
        "2026-10-26T05:00:00+00:00",
    ]


def test_a_preset_is_a_cron_schedule(stored: Callable[[Any], Any]) -> None:
    dag = stored(dag_with(schedule={"type": "cron", "cron": "@daily"}))
    first = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert run_times(dag, first, 1) == ["2026-01-02T00:00:00+00:00"]


def outlets(dag: Any) -> dict[str, list[str]]:
    return {task.task_id: [asset.uri for asset in task.outlets] for task in dag.tasks if task.outlets}


def test_a_single_last_task_announces_the_flow() -> None:
    document = native_document()
    kept = ("threshold", "features", "train")
    document["operators"] = [item for item in document["operators"] if item["name"] in kept]
    assert outlets(dag_with(operators=document["operators"])) == {"train": [asset_of("churn").uri]}


def test_several_last_tasks_announce_the_flow_together() -> None:
    dag = dag_with()
    assert outlets(dag) == {"flow_succeeded": [asset_of("churn").uri]}
    last = dag.task_dict["flow_succeeded"]
    assert last.upstream_task_ids == {"good_enough", "no_drift", "train_runtime"}
    # Airflow does not run tasks of EmptyOperator, and of an outlet it hears only from a task that runs.
    assert last.inherits_from_empty_operator is False
    assert last.execute({}) is None


def test_the_announcing_task_takes_no_name_of_the_flow() -> None:
    operators = [call_operator(name, inputs=[]) for name in ("flow_succeeded", "flow_succeeded_")]
    artifacts = [{"id": f"{item['name']}-value", "name": "a"} for item in operators]
    dag = dag_with(operators=operators, artifacts=artifacts, parameters=[])
    assert list(outlets(dag)) == ["flow_succeeded__"]


@pytest.mark.parametrize("name", ["churn", "Größe 1/2 @ a:b?c#d [x]", "../..", "a//b/"])
def test_flows_wait_for_what_others_announce(name: str, serialized: Serialize) -> None:
    producer = dag_with(flow=flow(name=name), dag_id="producer")
    waits = {"type": "after_flows", "flows": [name, "other", name]}
    consumer = dag_with(flow=flow(name="consumer"), schedule=waits)
    (uri,) = outlets(producer)["flow_succeeded"]
    assert uri.isascii()
    assert uri.startswith("aqueduct://")
    timetable = json.dumps(serialized(consumer)["dag"]["timetable"])
    assert timetable.count(json.dumps(uri)) == 1
    assert timetable.count(json.dumps(asset_of("other").uri)) == 1


def test_retries_timeouts_and_pools() -> None:
    operators = native_document()["operators"]
    operators[1] |= {"retries": 3, "retry_delay": 12.5, "timeout": 60, "pool": "gpu"}
    dag = dag_with(operators=operators)
    task, other = dag.task_dict["features"], dag.task_dict["accuracy"]
    assert task.retries == 3
    assert task.retry_delay == timedelta(seconds=12.5)
    assert task.execution_timeout == timedelta(seconds=60 + config.s3_patience()) + TIMEOUT_MARGIN
    assert task.pool == "gpu"
    assert (other.retries, other.execution_timeout, other.pool) == (0, None, "default_pool")


def test_names_and_descriptions_are_shown() -> None:
    operators = native_document()["operators"]
    operators[1] |= {"name": "Größen 特徴", "description": "Reads <customers>.\x01"}
    dag = dag_with(
        operators=operators,
        flow=flow(
            name="Kündigung\x02 " + "x" * 300, description="All of **it**, <b>{{ today }}", tags=["ml", "ml"]
        ),
    )
    assert dag.dag_display_name.startswith("Kündigung\ufffd xxx")
    assert len(dag.dag_display_name) <= 200
    assert dag.task_dict["features"].task_display_name == "Größen 特徴"
    assert dag.task_dict["train"].task_display_name == "train"
    assert dag.task_dict["features"].doc_md.startswith("Reads &lt;customers>.\ufffd\n\n- Reads `threshold`.")
    assert dag.doc_md == (
        "All of **it**, &lt;b>{{ today }}\n\n"
        f"Version {VERSION_ID[:8]}, published 2026-01-31 12:00:00 UTC, from `churn.json`.\n\n"
        "[Runs, metrics and artifacts](/aqueduct/dags/churn)\n"
    )
    assert dag.description == f"All of **it**, <b>{{{{ today }}}} - version {VERSION_ID[:8]}"
    assert sorted(dag.tags) == ["aqueduct", "ml"]


@pytest.mark.parametrize(
    ("description", "expected"),
    [("", ""), ("\n # About\nmore", "# About - "), ("v1 (00000000)", "v1 (00000000) - ")],
)
def test_the_description_ends_with_the_version(
    description: str, expected: str, stored: Callable[[Any], Any]
) -> None:
    version = {"id": VERSION_ID, "number": 12}
    dag = stored(dag_with(flow=flow(description=description), version=version))
    assert dag.description == f"{expected}v12 ({VERSION_ID[:8]})"
    assert f"\n\nVersion v12 ({VERSION_ID[:8]}), from" in f"\n\n{dag.doc_md}"


def test_a_compiled_dag_is_as_the_original_made_it() -> None:
    dag = dag_of(spec_of(compiled_document()), source="churn.json", fileloc="")
    assert dag.description is None
    assert dag.doc_md.startswith(f"Version `{VERSION_ID}`, from")


def test_nothing_of_an_operator_is_a_template() -> None:
    assert {tuple(task.template_fields) for task in dag_with().tasks} == {()}


def airflow_hash() -> str:
    """How Airflow tells whether a DAG has changed, for one with many names."""
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization import serialized_objects

    waits = {"type": "after_flows", "flows": [f"flow {number}" for number in range(10)]}
    dag = dag_with(flow=flow(tags=[*"abcdefghijkl"]), schedule=waits)
    if hasattr(SerializedDagModel, "hash"):
        serializer = getattr(serialized_objects, "DagSerialization", serialized_objects.SerializedDAG)
        return str(SerializedDagModel.hash(serializer.to_dict(dag)))
    return str(SerializedDagModel(dag).dag_hash)


def test_airflow_sees_the_same_dag_in_every_process() -> None:
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    code = "from tests.unit.factory.test_dag import airflow_hash; print(airflow_hash())"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])}
    other = subprocess.check_output([sys.executable, "-W", "ignore", "-c", code], env=environment, text=True)
    assert len(airflow_hash()) == 32
    assert other.split()[-1] == airflow_hash()


SECRETS = ["AKIAPLANTED", "planted/secret", "planted-conn-key", "planted-conn-secret"]


def document_with_secrets() -> dict[str, Any]:
    document = compiled_document()
    config = {
        "type": "access_key",
        "access_key_id": SECRETS[2],
        "secret_access_key": SECRETS[3],
        "bucket": "data",
        "region": "us-east-2",
    }
    document["task_specs"] |= {
        "rows": extract_task("rows", connector_config=config),
        "save": load_task("save", inputs=["rows"], connector_config={"conf": config}),
        "more": function_task("more", inputs=["rows"], custom_args='{"token": "planted-token"}'),
    }
    document["task_edges"]["rows"] = ["save", "more"]
    storage = copy.deepcopy(STORAGE)
    storage["s3_config"] |= {"aws_access_key_id": SECRETS[0], "aws_secret_access_key": SECRETS[1]}
    for holder in (document, *document["task_specs"].values()):
        holder["storage_config"] = storage
    return document


def test_secrets_stay_out_of_what_airflow_stores_and_shows(serialized: Serialize) -> None:
    spec = spec_of(document_with_secrets())
    assert set(SECRETS) <= set(spec.secrets)
    dag = dag_of(spec, source="churn.json", fileloc="")
    shown = [json.dumps(serialized(dag)), str(dag), repr(dag), dag.doc_md, str(dag.params)]
    shown += [text for task in dag.tasks for text in (str(task), repr(task), str(task.doc_md))]
    everything = "\n".join(shown)
    assert "rows" in everything
    assert not [secret for secret in [*SECRETS, "planted"] if secret in everything]


def test_a_task_takes_hardly_more_space_than_a_plain_one(serialized: Serialize) -> None:
    from aqueduct_provider.compat import DAG, BaseOperator

    ours = serialized(dag_with())["dag"]["tasks"]
    facts = {task["__var"]["task_id"]: task["__var"].pop("aqueduct", "") for task in ours}
    docs = {task["__var"]["task_id"]: task["__var"].pop("doc_md", "") for task in ours}
    assert len(facts["accuracy"]) < 300
    assert len(docs["accuracy"]) < 300
    with DAG("plain", schedule=None, start_date=START_DATE) as plain:
        for task_id in dag_with().task_dict:
            BaseOperator(task_id=task_id, retries=0)
    theirs = serialized(plain)["dag"]["tasks"]
    size = [len(json.dumps(task)) for task in ours if task["__var"]["task_id"] == "accuracy"]
    plain_size = [len(json.dumps(task)) for task in theirs if task["__var"]["task_id"] == "accuracy"]
    # The edges, the names of the class and the kind, and the color are more than nothing.
    assert size[0] <= 1.2 * plain_size[0] + 200


def test_tasks_carry_no_copy_of_the_params() -> None:
    assert not any(task.params for task in dag_with().tasks)


@pytest.mark.parametrize("document", [native_document(), document_with_secrets()])
def test_airflow_can_copy_and_pickle_a_dag(document: dict[str, Any]) -> None:
    dag = dag_of(spec_of(document), source="churn.json", fileloc="/dags/loader.py")
    train = dag.task_dict["train"]
    copies = [
        copy.deepcopy(dag),
        pickle.loads(pickle.dumps(dag)),
        dag.partial_subset(["train"], include_upstream=True),
    ]
    for copied in copies:
        task = copied.task_dict["train"]
        assert task is not train
        assert task.upstream_task_ids == {"features"}
        assert (task.workflow, task.operators) == (train.workflow, train.operators)
        assert task.workflow.secrets == train.workflow.secrets
    assert set(copies[2].task_dict) == {"threshold", "features", "train"}


def test_what_airflow_refuses_is_a_spec_error() -> None:
    # An asset's name has at most 1500 characters (3000 on Airflow 2.11).
    with pytest.raises(SpecError, match="Airflow refuses this flow"):
        dag_with(flow=flow(name="x" * 4000))


def test_an_error_is_shown_without_secrets(mocker: MockerFixture) -> None:
    spec = spec_of(document_with_secrets())
    refusal = ValueError(f"no {SECRETS[1]}, no {SECRETS[3]}!")
    mocker.patch.object(DAG, "validate", side_effect=[refusal, ValueError()])
    with pytest.raises(SpecError, match=r"no \*\*\*, no \*\*\*!"):
        dag_of(spec, source="churn.json", fileloc="")
    with pytest.raises(SpecError, match="Airflow refuses this flow: ValueError"):
        dag_of(spec, source="churn.json", fileloc="")
