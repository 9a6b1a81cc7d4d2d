"""The compiled dialect: what the original hands to its Airflow compiler -> ``WorkflowSpec``.

In: the bytes and the tree of a document with ``type: compile_airflow`` (Aqueduct formats, section 2).
Out: the one model, a ``Locate`` that knows the paths of this dialect, and problems. In this dialect any
text may be an id, so the model is built without a second validation. Its ``name`` fields are the original's
machine names (``function-operator-<uuid>``): users know the flow by its DAG id, and tasks and parameters by
the keys of ``task_specs``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from itertools import islice
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import SecretStr

from aqueduct_provider.errors import Problem
from aqueduct_provider.spec import compiled_checks
from aqueduct_provider.spec import compiled_models as source
from aqueduct_provider.spec.compiled_connectors import ConnectorReader
from aqueduct_provider.spec.document import Parts, json_path
from aqueduct_provider.spec.graph import Locate
from aqueduct_provider.spec.models import (
    ArtifactSpec,
    ArtifactType,
    CheckOperator,
    Code,
    Compiled,
    CronSchedule,
    ExtractOperator,
    FlowIdentity,
    FlowVersion,
    FunctionOperator,
    LoadOperator,
    MetricOperator,
    Operator,
    Parameter,
    ParamOperator,
    S3ArtifactStore,
    StoredDefault,
    SystemMetricOperator,
    WorkflowSpec,
)
from aqueduct_provider.spec.system_operators import S3Extract, S3Load, Source, Target
from aqueduct_provider.spec.validation import MAX_PROBLEMS, AnyModel, validated

TYPE = "compile_airflow"
# They are shown in the docs of the DAG.
_MAX_NOTICES = 50

Part = TypeVar("Part")

_OUTSIDE_TASK_ID = re.compile(b"[^A-Za-z0-9]")


def read(data: bytes, tree: Any) -> tuple[WorkflowSpec | None, Locate, list[Problem]]:
    """Return the spec in ``data`` if its shape allows one, where its fields are, and problems."""
    document, problems = validated(source.Document, data, tree)
    if document is None:
        return None, lambda *_: "$", problems
    problems += islice(compiled_checks.check(document, tree["storage_config"]), MAX_PROBLEMS)
    translation = _Translation(document)
    spec = translation.spec()
    return spec, translation.locate, problems + translation.problems


class _Translation:
    """One document on its way to the model; ``problems`` gathers what is wrong with its connectors."""

    def __init__(self, document: source.Document) -> None:
        self.document = document
        self.connectors: dict[str, Mapping[str, Any]] = {}
        self.problems: list[Problem] = []

    def spec(self) -> WorkflowSpec:
        document = self.document
        flow_id = uuid5(NAMESPACE_URL, f"aqueduct:{document.dag_id}")
        tasks, cron = document.task_specs.values(), document.cron_schedule
        spec = _new(
            WorkflowSpec,
            spec_version=1,
            flow=_new(FlowIdentity, id=flow_id, name=document.dag_id),
            version=_new(FlowVersion, id=document.workflow_dag_id),
            dag_id=document.dag_id,
            schedule=_new(CronSchedule, type="cron", cron=cron) if cron else None,
            artifact_store=_store(document.tasks_storage),
            artifacts=_artifacts(document.task_specs),
            parameters=tuple(
                _parameter(key, task)
                for key, task in document.task_specs.items()
                if isinstance(task, source.ParamTask)
            ),
            operators=tuple(self._operator(key, task) for key, task in document.task_specs.items()),
        )
        spec._compiled = Compiled(
            metadata_paths={content: metadata for task in tasks for content, metadata in task.outputs},
            access_keys=_access_keys(document.tasks_storage),
            connectors=self.connectors,
            notices=tuple(islice(compiled_checks.notices(document), _MAX_NOTICES)),
        )
        return spec

    @cached_property
    def producers(self) -> dict[str, str]:
        """Content path -> key of the task that writes there."""
        tasks = self.document.task_specs.items()
        return {content: key for key, task in tasks for content, _ in task.outputs}

    @cached_property
    def by_metadata(self) -> dict[str, str]:
        """Metadata path -> content path."""
        tasks = self.document.task_specs.values()
        return {metadata: content for task in tasks for content, metadata in task.outputs}

    @cached_property
    def before(self) -> dict[str, list[str]]:
        """Key of a task -> keys of the tasks that ``task_edges`` lets it wait for."""
        waits: dict[str, list[str]] = {}
        for key, others in self.document.task_edges.items():
            for other in others if key in self.document.task_specs else ():
                waits.setdefault(other, []).append(key)
        return waits

    def _operator(self, key: str, task: source.AnyTask) -> Operator:
        inputs = self._inputs(task)
        implied = {self.producers.get(content) for content in inputs}
        after = dict.fromkeys(_task_id(other) for other in self.before.get(key, ()) if other not in implied)
        common: dict[str, Any] = {
            "id": task.metadata_path,
            "task_id": _task_id(key),
            "name": key,
            "type": task.type,
            "inputs": inputs,
            "outputs": tuple(content for content, _ in task.outputs),
            "after": tuple(after),
        }
        match task:
            case source.ParamTask():
                return _new(ParamOperator, parameter=key, **common)
            case source.SystemMetricTask():
                return _new(SystemMetricOperator, metric=task.metric_name, **common)
        # The DAGs of the original say so (Aqueduct formats, section 2).
        common["retries"] = 0
        match task:
            case source.FunctionTask():
                return _call_operator(task, common)
            case source.ExtractTask():
                unread: Source = _new(
                    S3Extract, connector="S3", filepath="-", artifact_type=ArtifactType.UNTYPED
                )
                found = self._reached(key, task, ConnectorReader.source, unread)
                return _new(ExtractOperator, source=found, **common)
            case source.LoadTask():
                unsaved: Target = _new(S3Load, connector="S3", filepath="-", format="CSV")
                target = self._reached(key, task, ConnectorReader.target, unsaved)
                return _new(LoadOperator, target=target, **common)

    def _inputs(self, task: source.AnyTask) -> tuple[str, ...]:
        match task:
            case source.SystemMetricTask():
                return tuple(self.by_metadata.get(path, path) for path in task.input_metadata_paths)
            case source.ParamTask():
                return ()
        return task.input_content_paths

    # --- connectors

    def _reached(
        self,
        key: str,
        task: source.ConnectorTask,
        read: Callable[[ConnectorReader], tuple[Part, Mapping[str, Any]] | None],
        otherwise: Part,
    ) -> Part:
        """Return the source or target of a task; where it cannot be read, any that lets the checks go on."""
        base: Parts = ("task_specs", key)
        reader = ConnectorReader(task.connector_name, task.connector_config, task.parameters, base)
        found = read(reader)
        self.problems += reader.problems
        if found is None:
            return otherwise
        part, self.connectors[task.metadata_path] = found
        return part

    # --- where things stand

    def locate(self, *parts: str | int) -> str:
        tasks = self.document.task_specs
        match parts:
            case ("operators", int(index), *rest):
                key = list(tasks)[index]
                return json_path(("task_specs", key, *_field(tasks[key], tuple(rest))))
            case ("parameters", int(index), *_):
                keys = [key for key, task in tasks.items() if isinstance(task, source.ParamTask)]
                return json_path(("task_specs", keys[index]))
            case ("artifact_store", *rest):
                return json_path(("storage_config", "s3_config", *rest))
            case ("schedule", *_):
                return "$.cron_schedule"
        return json_path(parts)


_CODE_FIELDS = {"custom_args": "custom_args", "entry_file": "entry_point_file"}


def _field(task: source.CompiledTask, parts: Parts) -> Parts:
    """Return a field of an operator, as the dialect calls it."""
    match parts:
        case ("inputs", *place):
            by_metadata = isinstance(task, source.SystemMetricTask)
            return ("input_metadata_paths" if by_metadata else "input_content_paths", *place)
        case ("outputs", *place):
            many = isinstance(task, source.FunctionTask)
            return ("output_content_paths", *place) if many else ("output_content_path",)
        case ("code", str(name)):
            return (_CODE_FIELDS[name],)
        case ("source" | "target", name):
            return ("parameters", name)
        case ("id",):
            return ("metadata_path",)
    return ()


def _new(model: type[AnyModel], **values: Any) -> AnyModel:
    """Make a model of values that need no validation: copies of one template cost a third of others."""
    copy: AnyModel = _template(model).model_copy(update=values)
    return copy


@cache
def _template(model: type[AnyModel]) -> AnyModel:
    return model.model_construct()


def _task_id(key: str) -> str:
    return _OUTSIDE_TASK_ID.sub(b"_", key.encode("utf-8", "surrogatepass")).decode()


def _artifacts(tasks: Mapping[str, source.AnyTask]) -> tuple[ArtifactSpec, ...]:
    artifacts: dict[str, ArtifactSpec] = {}
    for key, task in tasks.items():
        for (content, _), kind in zip(task.outputs, task.output_types, strict=False):
            artifact = _new(ArtifactSpec, id=content, name=key, type=kind)
            artifacts.setdefault(content, artifact)
    return tuple(artifacts.values())


def _store(config: source.StorageConfig) -> S3ArtifactStore:
    s3 = config.s3_config
    if s3 is None:
        return _new(S3ArtifactStore, type="s3", bucket="-")
    return _new(
        S3ArtifactStore,
        type="s3",
        bucket=s3.bucket,
        region=s3.region,
        root_dir=s3.root_dir,
        credentials_path=s3.credentials_path,
        credentials_profile=s3.credentials_profile,
    )


def _access_keys(config: source.StorageConfig) -> tuple[SecretStr, SecretStr] | None:
    s3 = config.s3_config
    if s3 is None or not s3.aws_access_key_id:
        return None
    return s3.aws_access_key_id, s3.aws_secret_access_key


def _parameter(key: str, task: source.ParamTask) -> Parameter:
    default = _new(
        StoredDefault, key=task.output_content_path, serialization_type=task.serialization_type, sha256=""
    )
    return _new(Parameter, name=key, type=task.expected_type, default=default)


def _call_operator(task: source.FunctionTask, common: dict[str, Any]) -> Operator:
    code = _new(
        Code,
        key=task.function_path,
        sha256="",
        entry_file=task.entry_point_file,
        entry_class=task.entry_point_class,
        entry_method=task.entry_point_method,
        custom_args=task.custom_args,
    )
    common |= {"code": code, "resources": task.resources, "type": task.operator_type}
    match task.operator_type:
        case "function":
            return _new(FunctionOperator, **common)
        case "metric":
            return _new(MetricOperator, **common)
        case "check":
            return _new(CheckOperator, severity=task.check_severity or "error", **common)
