"""The compiled dialect as documented (Aqueduct formats, section 2).

In: JSON. Out: models of its documents and tasks, which ``compiled.py`` translates. They are as strict as
the native ones. Configurations of connectors and their parameters are checked once the connector is
known to be supported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue, SecretStr, ValidationError

from aqueduct_provider.spec.compiled_connectors import FILE_SYSTEMS, decoded_filepath
from aqueduct_provider.spec.models import Resources
from aqueduct_provider.spec.types import MAX_ENTRIES, MAX_OPERATORS, ArtifactType, Label, Model, Name, Secret

Paths = Annotated[tuple[Name, ...], Field(max_length=MAX_ENTRIES)]
Pairs = tuple[tuple[str, str], ...]


class CompiledS3Config(Model):
    region: str
    bucket: Name
    root_dir: str = ""
    credentials_path: str
    credentials_profile: str
    aws_access_key_id: Secret = SecretStr("")
    aws_secret_access_key: Secret = SecretStr("")


class StorageConfig(Model):
    """Where everything is stored; configurations of the types that are refused are not looked into."""

    type: str
    s3_config: CompiledS3Config | None = None
    file_config: JsonValue = None
    gcs_config: JsonValue = None

    @property
    def place(self) -> tuple[str, ...]:
        """Where it reads or writes, without credentials: those are of the original's server."""
        s3 = self.s3_config
        return (self.type, s3.region, s3.bucket, s3.root_dir) if s3 else (self.type,)


class CompiledTask(Model):
    """The fields of all tasks, and how the translation sees them."""

    name: Label
    # Unparsed: it only has to equal the flow's, and thousands of them are read.
    storage_config: dict[str, Any] = Field(repr=False)
    metadata_path: Name = Field(description="Key of the exec state.")

    @property
    def inputs(self) -> Pairs:
        """Content path and metadata path of each input, as far as both are given."""
        return ()

    @property
    def outputs(self) -> Pairs:
        """Content path and metadata path of each output."""
        return ()

    @property
    def output_types(self) -> tuple[ArtifactType, ...]:
        """The type that each output must have."""
        return ()

    def uneven(self) -> Iterator[tuple[str, str]]:
        """Find lists that differ in length from the list they belong to, with its name."""
        yield from ()


class Reading(CompiledTask):
    """A task that reads artifacts."""

    input_content_paths: Paths
    input_metadata_paths: Paths

    @property
    def inputs(self) -> Pairs:
        return tuple(zip(self.input_content_paths, self.input_metadata_paths, strict=False))

    def uneven(self) -> Iterator[tuple[str, str]]:
        if len(self.input_metadata_paths) != len(self.input_content_paths):
            yield "input_metadata_paths", "input_content_paths"


class Writing(CompiledTask):
    """A task that writes one artifact."""

    output_content_path: Name
    output_metadata_path: Name

    @property
    def outputs(self) -> Pairs:
        return ((self.output_content_path, self.output_metadata_path),)


class FunctionTask(Reading):
    type: Literal["function"]
    function_path: Name = Field(description="Key of the function's zip.")
    function_extract_path: str
    entry_point_file: Name
    entry_point_class: str
    entry_point_method: Name
    custom_args: str
    output_content_paths: Paths
    output_metadata_paths: Paths
    expected_output_artifact_types: Annotated[tuple[ArtifactType, ...], Field(max_length=MAX_ENTRIES)]
    operator_type: Literal["function", "metric", "check"]
    check_severity: Literal["error", "warning"] | None = None
    resources: Resources | None = None
    image: JsonValue = None

    @property
    def outputs(self) -> Pairs:
        return tuple(zip(self.output_content_paths, self.output_metadata_paths, strict=False))

    @property
    def output_types(self) -> tuple[ArtifactType, ...]:
        return self.expected_output_artifact_types

    def uneven(self) -> Iterator[tuple[str, str]]:
        yield from super().uneven()
        for field in ("output_metadata_paths", "expected_output_artifact_types"):
            if len(getattr(self, field)) != len(self.output_content_paths):
                yield field, "output_content_paths"


class ParamTask(Writing):
    type: Literal["param"]
    expected_type: ArtifactType
    serialization_type: Literal[
        "table", "bson_table", "json", "pickle", "image", "string", "bytes", "tensorflow-keras-model"
    ]

    @property
    def output_types(self) -> tuple[ArtifactType, ...]:
        return (self.expected_type,)


class SystemMetricTask(Writing):
    type: Literal["system_metric"]
    metric_name: Literal["runtime", "max_memory"]
    input_metadata_paths: Paths

    @property
    def output_types(self) -> tuple[ArtifactType, ...]:
        return (ArtifactType.NUMERIC,)


class ConnectorTask(Reading):
    """A task that reaches a data system."""

    connector_name: str
    connector_config: dict[str, Any] = Field(repr=False)
    parameters: dict[str, Any]


class ExtractTask(Writing, ConnectorTask):
    type: Literal["extract"]

    @property
    def output_types(self) -> tuple[ArtifactType, ...]:
        return (_extracted_type(self.connector_name, self.parameters),)


class LoadTask(ConnectorTask):
    type: Literal["load"]


AnyTask = FunctionTask | ParamTask | SystemMetricTask | ExtractTask | LoadTask


class Document(Model):
    name: Label
    type: Literal["compile_airflow"]
    storage_config: StorageConfig
    metadata_path: str
    output_content_path: str
    workflow_dag_id: UUID
    dag_id: str
    cron_schedule: str
    task_specs: Annotated[
        dict[Name, Annotated[AnyTask, Field(discriminator="type")]],
        Field(min_length=1, max_length=MAX_OPERATORS),
    ]
    task_edges: Annotated[
        dict[str, Annotated[tuple[str, ...], Field(max_length=MAX_ENTRIES)]],
        Field(max_length=MAX_OPERATORS),
    ]

    @cached_property
    def tasks_storage(self) -> StorageConfig:
        """The storage as the tasks reach it: with the credentials that are on Airflow's machines."""
        return storage_of(next(iter(self.task_specs.values()))) or self.storage_config


def storage_of(task: CompiledTask) -> StorageConfig | None:
    """Return the storage that a task names; None where it is not written as one."""
    try:
        return StorageConfig.model_validate(task.storage_config)
    except ValidationError:
        return None


def _extracted_type(connector: str, parameters: Mapping[str, Any]) -> ArtifactType:
    """Return what an extract gives: a table; of files, one file's type, a table of many, or a tuple."""
    if connector not in FILE_SYSTEMS:
        return ArtifactType.TABLE
    filepath = decoded_filepath(str(parameters.get("filepath", "")))
    try:
        each = ArtifactType(parameters.get("artifact_type"))
    except ValueError:
        return ArtifactType.UNTYPED
    single = isinstance(filepath, str) and not filepath.endswith("/")
    merged = each is ArtifactType.TABLE and parameters.get("merge") is True
    return each if single or merged else ArtifactType.TUPLE
