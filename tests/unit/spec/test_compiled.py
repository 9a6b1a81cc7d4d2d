"""The compiled dialect becomes the one model, and problems keep the paths of its own document."""

from __future__ import annotations

import json
import pickle
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec.graph import order, upstream
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import (
    ArtifactType,
    CheckOperator,
    CronSchedule,
    ExtractOperator,
    FunctionOperator,
    LoadOperator,
    MetricOperator,
    Operator,
    ParamOperator,
    S3ArtifactStore,
    StoredDefault,
    SystemMetricOperator,
    WorkflowSpec,
)
from aqueduct_provider.spec.system_operators import S3Extract, S3Load
from tests.support.example_specs import (
    S3_CONNECTOR,
    VERSION_ID,
    compiled_document,
    extract_task,
    function_task,
    load_task,
    param_task,
    system_metric_task,
)


def spec_of(document: Any) -> WorkflowSpec:
    return parse(json.dumps(document).encode(), "x.json")


def problems_of(document: Any) -> dict[str, str]:
    with pytest.raises(SpecError) as caught:
        spec_of(document)
    return {problem.path: problem.message for problem in caught.value.problems}


def operator_of(document: Any, task_id: str) -> Operator:
    return next(operator for operator in spec_of(document).operators if operator.task_id == task_id)


def test_the_flow_and_its_version() -> None:
    spec = spec_of(compiled_document())
    assert (spec.flow.name, spec.dag_id, spec.version.id) == ("churn", "churn", UUID(VERSION_ID))
    assert spec.version.created_at is None
    assert isinstance(spec.schedule, CronSchedule)
    assert (spec.schedule.cron, spec.schedule.timezone) == ("0 6 * * *", "UTC")
    assert spec_of(compiled_document(cron_schedule="")).schedule is None


def test_the_flow_keeps_its_id_over_versions() -> None:
    other = "11111111-2222-4333-8444-555555555555"
    first, second = spec_of(compiled_document()), spec_of(compiled_document(workflow_dag_id=other))
    assert first.flow.id == second.flow.id != spec_of(compiled_document(dag_id="x")).flow.id
    assert first.version.id != second.version.id


def test_the_store_and_its_keys() -> None:
    document: Any = compiled_document()
    for config in [
        document["storage_config"],
        *(task["storage_config"] for task in document["task_specs"].values()),
    ]:
        config["s3_config"] |= {
            "bucket": "s3://b/p",
            "root_dir": "root/",
            "credentials_profile": "ml",
            "aws_access_key_id": "AKIA",
            "aws_secret_access_key": "hunter2",
        }
    spec = spec_of(document)
    assert isinstance(spec.artifact_store, S3ArtifactStore)
    assert spec.artifact_store.model_dump() == {
        "type": "s3",
        "bucket": "s3://b/p",
        "region": "us-east-2",
        "root_dir": "root/",
        "endpoint_url": None,
        "credentials_path": "/aws/credentials",
        "credentials_profile": "ml",
    }
    assert spec.secrets == ("hunter2", "AKIA")
    assert "hunter2" not in repr(spec) + spec.model_dump_json()
    assert spec_of(compiled_document()).secrets == ()


def test_every_type_of_task_becomes_its_operator() -> None:
    kinds = [type(operator) for operator in spec_of(compiled_document()).operators]
    assert kinds == [
        ParamOperator,
        FunctionOperator,
        FunctionOperator,
        MetricOperator,
        CheckOperator,
        CheckOperator,
        SystemMetricOperator,
    ]


def test_a_function_keeps_its_code_and_its_paths() -> None:
    resources = {
        "num_cpus": 2,
        "memory_mb": None,
        "gpu_resource_name": None,
        "cuda_version": None,
        "use_llm": None,
    }
    document: Any = compiled_document()
    document["task_specs"]["train"] |= {
        "custom_args": '{"a": 1}',
        "entry_point_class": "",
        "resources": resources,
    }
    operator = operator_of(document, "train")
    assert isinstance(operator, FunctionOperator)
    assert (operator.id, operator.name) == ("train-state", "train")
    assert (operator.inputs, operator.outputs) == (("features-content",), ("train-content",))
    code = operator.code
    assert (code.key, code.sha256, code.custom_args) == ("train-function", "", '{"a": 1}')
    assert (code.entry_file, code.entry_class, code.entry_method) == ("model.py", "", "predict")
    assert (code.requirements, code.python_version) == (None, None)
    assert operator.resources is not None
    assert operator.resources.num_cpus == 2
    assert (operator.retries, operator.timeout, operator.pool) == (0, None, None)


def test_artifacts_and_their_metadata() -> None:
    spec = spec_of(compiled_document())
    assert spec.artifact("features-content").type is ArtifactType.TABLE
    assert spec.artifact("train_runtime-content").type is ArtifactType.NUMERIC
    assert spec.compiled is not None
    assert spec.compiled.metadata_paths["features-content"] == "features-metadata"


def test_several_outputs() -> None:
    two = function_task("two", inputs=[], output_content_paths=["a", "b"], output_metadata_paths=["am", "bm"])
    two["expected_output_artifact_types"] = ["table", "json"]
    spec = spec_of(compiled_document(task_specs={"two": two}, task_edges={}))
    assert [(artifact.id, artifact.type.value) for artifact in spec.artifacts] == [
        ("a", "table"),
        ("b", "json"),
    ]


def test_the_severity_of_checks_is_error_when_unset() -> None:
    document: Any = compiled_document()
    document["task_specs"]["good_enough"]["check_severity"] = None
    checks = [operator for operator in spec_of(document).operators if isinstance(operator, CheckOperator)]
    assert [check.severity for check in checks] == ["error", "warning"]


def test_a_parameter_has_its_default_at_its_content_path() -> None:
    tasks = {"table": param_task("table", "table", "bson_table")}
    (parameter,) = spec_of(compiled_document(task_specs=tasks, task_edges={})).parameters
    assert isinstance(parameter.default, StoredDefault)
    assert (parameter.name, parameter.type) == ("table", ArtifactType.TABLE)
    assert (parameter.default.key, parameter.default.serialization_type) == ("table-content", "bson_table")
    assert parameter.default.sha256 == ""


def test_a_system_metric_finds_its_input_by_metadata_path() -> None:
    operator = operator_of(compiled_document(), "train_runtime")
    assert isinstance(operator, SystemMetricOperator)
    assert (operator.inputs, operator.metric) == (("train-content",), "runtime")


def test_edges_that_data_does_not_imply_come_after() -> None:
    document: Any = compiled_document()
    document["task_edges"]["threshold"] = ["features", "train_runtime", "train_runtime"]
    spec = spec_of(document)
    assert {operator.task_id: operator.after for operator in spec.operators if operator.after} == {
        "train_runtime": ("threshold",)
    }
    assert upstream(spec)["train_runtime"] == ("train", "threshold")


def test_data_alone_makes_edges() -> None:
    assert order(spec_of(compiled_document(task_edges={}))) == order(spec_of(compiled_document()))


@pytest.mark.parametrize("wrap", [lambda config: config, lambda config: {"conf": config}])
def test_s3_extract_and_load(wrap: Any) -> None:
    document: Any = compiled_document()
    document["task_specs"] |= {
        "day": param_task("day", "string", "string"),
        "read": extract_task("read", filepath='["a.csv", "b.csv"]', connector_config=wrap(S3_CONNECTOR)),
        "save": load_task("save", inputs=["day", "features"], connector_config=wrap(S3_CONNECTOR)),
    }
    spec = spec_of(document)
    read, save = spec.operators[-2:]
    assert isinstance(read, ExtractOperator)
    assert isinstance(save, LoadOperator)
    assert isinstance(read.source, S3Extract)
    assert isinstance(save.target, S3Load)
    assert (read.source.filepath, read.source.merge, read.source.format) == (("a.csv", "b.csv"), False, "CSV")
    assert (save.target.filepath, save.target.format, save.outputs) == ("out/a.csv", "CSV", ())
    assert spec.compiled is not None
    assert spec.compiled.connectors == {"read-state": S3_CONNECTOR, "save-state": S3_CONNECTOR}
    assert spec.secrets == ("example-secret", "AKIAEXAMPLE")
    assert "example-secret" not in repr(spec) + spec.model_dump_json()


def test_users_know_the_flow_by_its_dag_id_and_all_else_by_keys() -> None:
    document: Any = compiled_document(dag_id="__bersicht")
    document["task_specs"]["größe (1)"] = param_task("threshold")
    del document["task_specs"]["threshold"]
    spec = spec_of({**document, "task_edges": {}})
    assert spec.flow.name == "__bersicht"
    assert [operator.name for operator in spec.operators] == list(document["task_specs"])
    assert [parameter.name for parameter in spec.parameters] == ["größe (1)"]
    assert {artifact.name for artifact in spec.artifacts} == set(document["task_specs"])


def test_keys_become_task_ids_byte_by_byte() -> None:
    tasks = {"größe (1)": function_task("a", inputs=[]), "😀": function_task("b", inputs=[])}
    spec = spec_of(compiled_document(task_specs=tasks, task_edges={"größe (1)": ["😀"]}))
    assert [operator.task_id for operator in spec.operators] == ["gr____e__1_", "____"]
    assert spec.operators[1].after == ("gr____e__1_",)


def test_task_ids_that_collide_are_a_problem() -> None:
    tasks = {"load data": function_task("a", inputs=[]), "load-data": function_task("b", inputs=[])}
    problems = problems_of(compiled_document(task_specs=tasks, task_edges={}))
    assert '$.task_specs["load data"]' in problems['$.task_specs["load-data"]']


def test_more_than_a_hundred_tasks() -> None:
    names = [f"t{number}" for number in range(300)]
    tasks = {"t0": function_task("t0", inputs=[])}
    for before, name in pairwise(names):
        tasks[name] = function_task(name, inputs=[before])
    assert order(spec_of(compiled_document(task_specs=tasks, task_edges={}))) == names


def test_the_facts_travel_with_the_spec() -> None:
    spec = spec_of(compiled_document())
    copy = pickle.loads(pickle.dumps(spec))
    assert copy == spec
    assert copy.compiled == spec.compiled


def edited(**tasks: Any) -> Any:
    document: Any = compiled_document()
    for name, fields in tasks.items():
        document["task_specs"].setdefault(name, {}).update(fields)
    return document


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (compiled_document(task_specs={}, task_edges={}), "$.task_specs", "at least 1 entry"),
        (compiled_document(workflow_dag_id="1"), "$.workflow_dag_id", "must be a UUID"),
        (compiled_document(cron_schedule="never"), "$.cron_schedule", "not a cron expression"),
        (compiled_document(dagid="x"), "$.dagid", "did you mean 'dag_id'?"),
        (
            edited(train={"entry_point_clas": "A"}),
            "$.task_specs.train.entry_point_clas",
            "'entry_point_class'?",
        ),
        (edited(train={"type": "funktion"}), "$.task_specs.train.type", "did you mean 'function'?"),
        (edited(train={"name": ""}), "$.task_specs.train.name", "must not be empty"),
        (
            edited(train={"input_content_paths": None}),
            "$.task_specs.train.input_content_paths",
            "must be a list",
        ),
        (
            edited(train={"input_content_paths": ["x"]}),
            "$.task_specs.train.input_content_paths[0]",
            "no task writes",
        ),
        (
            edited(train={"metadata_path": "accuracy-state"}),
            "$.task_specs.accuracy.metadata_path",
            "already taken",
        ),
        (edited(train={"custom_args": "{"}), "$.task_specs.train.custom_args", "JSON object"),
        (edited(train={"entry_point_file": "/a.py"}), "$.task_specs.train.entry_point_file", "leads out"),
        (edited(threshold={"expected_type": "number"}), "$.task_specs.threshold.expected_type", "'numeric'"),
        (
            edited(accuracy={"output_content_paths": []}),
            "$.task_specs.accuracy.output_content_paths",
            "exactly 1",
        ),
        (
            edited(train={"output_content_paths": ["features-content"]}),
            "$.task_specs.train.output_content_paths[0]",
            "already produced at $.task_specs.features.output_content_paths[0]",
        ),
        (
            edited(train_runtime={"output_content_path": "train-content"}),
            "$.task_specs.train_runtime.output_content_path",
            "already produced at",
        ),
        (
            edited(train_runtime={"input_metadata_paths": ["x"]}),
            "$.task_specs.train_runtime.input_metadata_paths[0]",
            "no task writes",
        ),
        (
            edited(train_runtime={"input_metadata_paths": []}),
            "$.task_specs.train_runtime.input_metadata_paths",
            "exactly 1 input",
        ),
        (
            compiled_document(task_edges={"train": ["features"]}),
            "$.task_specs.features",
            "features -> train -> features",
        ),
        (
            edited(read=extract_task("read", filepath="a.csv")),
            "$.task_specs.read.parameters.filepath",
            "JSON inside",
        ),
        (
            edited(read=extract_task("read", parameters={"filepath": '"a"', "artifact_type": "table"})),
            "$.task_specs.read.parameters.format",
            "tables need a format",
        ),
        (
            edited(read=extract_task("read", parameters={"filepath": '"a"', "artifact_type": "tabel"})),
            "$.task_specs.read.parameters.artifact_type",
            "did you mean 'table'?",
        ),
        (
            edited(save=load_task("save", inputs=["features"], connector_config={"conf": {"bukcet": "b"}})),
            "$.task_specs.save.connector_config.conf.bukcet",
            "did you mean 'bucket'?",
        ),
    ],
)
def test_problems_stand_at_the_paths_of_the_document(document: Any, path: str, message: str) -> None:
    assert message in problems_of(document)[path]


@pytest.mark.parametrize("kind", [extract_task, load_task])
def test_an_unknown_connector_learns_of_the_known_ones(kind: Any) -> None:
    config = {"conf": {"password": "hunter2", "host": "db"}}
    inputs = {} if kind is extract_task else {"inputs": ["features"]}
    task = kind("sql", connector_name="Oracle", connector_config=config, parameters={"query": "q"}, **inputs)
    problems = problems_of(edited(sql=task, use=function_task("use", inputs=["features"])))
    assert list(problems) == ["$.task_specs.sql.connector_name"]
    assert "unknown connector 'Oracle'; use one of: Athena, AzureSQL, BigQuery, GCS" in str(problems)
    assert "hunter2" not in str(problems)


def test_problems_of_every_stage_come_at_once() -> None:
    document = edited(train={"resorces": None, "input_content_paths": ["nothing"]})
    document["cron_schedule"] = "never"
    document["task_specs"]["extra"] = system_metric_task("extra", input_="train", metric="max_memory")
    document["task_specs"]["extra"]["storage_config"]["type"] = "gcs"
    assert set(problems_of(document)) == {
        "$.task_specs.train.resorces",
        "$.task_specs.train.input_content_paths[0]",
        "$.cron_schedule",
        "$.task_specs.extra.storage_config",
    }


def test_the_credentials_are_those_of_the_tasks() -> None:
    document = compiled_document()
    for task in document["task_specs"].values():
        task["storage_config"]["s3_config"] |= {
            "credentials_path": "/airflow/aws",
            "credentials_profile": "a",
        }
    document["storage_config"]["s3_config"]["credentials_path"] = "/server/aws"
    store = spec_of(document).artifact_store
    assert isinstance(store, S3ArtifactStore)
    assert (store.credentials_path, store.credentials_profile) == ("/airflow/aws", "a")
    document["task_specs"]["train"]["storage_config"]["s3_config"]["credentials_path"] = "/other"
    assert problems_of(document) == {
        "$.task_specs.train.storage_config": "differs in its credentials from that of task 'threshold'; all "
        "tasks share them"
    }
