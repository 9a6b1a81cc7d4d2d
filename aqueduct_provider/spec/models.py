"""The one model of a flow: frozen pydantic models of the native spec, ``spec_version: 1``.

The JSON Schema of the native dialect is generated from these classes, so their field names, types and
descriptions are the product's central interface. Specs of the compiled dialect (``spec/compiled.py``)
become the same classes; what only that dialect knows hangs in ``WorkflowSpec.compiled`` and is never
read from, or written to, JSON. Rules that span several fields live in ``spec/graph.py`` and
``spec/semantic_checks.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Discriminator, Field, JsonValue, PrivateAttr, Tag

from aqueduct_provider.spec.compiled_facts import Compiled as Compiled
from aqueduct_provider.spec.flow_version import FlowVersion as FlowVersion
from aqueduct_provider.spec.notifications import Notifications
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.spec.system_operators import Source, Target
from aqueduct_provider.spec.types import DIGEST_PATTERN as DIGEST_PATTERN
from aqueduct_provider.spec.types import IDENTIFIER_PATTERN as IDENTIFIER_PATTERN
from aqueduct_provider.spec.types import JSON_TYPES as JSON_TYPES
from aqueduct_provider.spec.types import (
    MAX_ENTRIES,
    MAX_OPERATORS,
    MAX_PARAMETERS,
    Digest,
    Identifier,
    Label,
    Model,
    Name,
    Seconds,
)
from aqueduct_provider.spec.types import PYTHON_PATTERN as PYTHON_PATTERN
from aqueduct_provider.spec.types import ArtifactType as ArtifactType
from aqueduct_provider.spec.types import View as View


class FlowIdentity(Model):
    """The named DAG of operators that this spec is one version of."""

    id: UUID = Field(description="The same for every version of the flow.")
    name: Label = Field(description="What users call it; any text.")
    description: str = Field("", description="Markdown; shown as the DAG's docs in Airflow.")
    tags: tuple[Annotated[Name, Field(max_length=100)], ...] = Field(
        (), max_length=1000, description="Further tags of the DAG; Airflow allows 100 characters in each."
    )
    owner: Annotated[str, Field(max_length=200)] = Field(
        "", description="Owner of the DAG, who answers for it; empty: Airflow's default_owner."
    )


class CronSchedule(Model):
    """Runs at the times of a cron expression."""

    type: Literal["cron"]
    cron: Name = Field(description="Five fields, or a preset such as @daily.", examples=["0 6 * * 1-5"])
    timezone: Name = Field("UTC", description="IANA name of the time zone.", examples=["Europe/Berlin"])


class AfterFlowsSchedule(Model):
    """Runs when all of the named flows have succeeded since the last run."""

    type: Literal["after_flows"]
    flows: Annotated[tuple[Label, ...], Field(min_length=1, max_length=1000)] = Field(
        description="Names of the flows."
    )


class AssetsSchedule(Model):
    """Runs when all of the named assets have been updated since the last run."""

    type: Literal["assets"]
    assets: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)] = Field(
        description="URIs of Airflow assets (datasets on 2.11).", examples=[["s3://bucket/sales.parquet"]]
    )


Schedule = Annotated[CronSchedule | AfterFlowsSchedule | AssetsSchedule, Field(discriminator="type")]


class ConnectionStore(Model):
    """The artifact store is the one that an Airflow connection of type ``aqueduct`` names."""

    type: Literal["connection"]
    connection_id: Name = Field("aqueduct_default", description="Id of the Airflow connection.")


class S3ArtifactStore(Model):
    """The artifact store is an S3 bucket, reached with a credentials file on the Airflow worker."""

    type: Literal["s3"]
    bucket: Name = Field(description="Bucket, or s3://bucket/some/prefix.")
    region: str = Field("", description="AWS region; empty: that of the profile.")
    root_dir: str = Field("", description="A further prefix below the bucket's.")
    endpoint_url: str | None = Field(None, description="For S3-compatible stores, such as MinIO.")
    credentials_path: str = Field(
        "", description="AWS credentials file on the worker; empty: boto3's own chain of sources."
    )
    credentials_profile: str = Field("", description="Profile in that file; empty: default.")


ArtifactStore = Annotated[ConnectionStore | S3ArtifactStore, Field(discriminator="type")]


class ArtifactSpec(Model):
    """An edge's value: written by one operator, read by any number."""

    id: Identifier = Field(description="Unique in the spec; part of the object's key.")
    name: Label = Field(description="What users call it.")
    type: ArtifactType = Field(
        ArtifactType.UNTYPED, description="What its operator must produce; untyped accepts any."
    )
    keep_snapshot: bool = Field(
        True, description="false: its content is deleted when the run has succeeded; its metadata stays."
    )


class InlineDefault(Model):
    """A default that is JSON and small enough to be in the spec."""

    value: JsonValue = Field(description="The value, as JSON.")


class StoredDefault(Model):
    """A default that is stored in the artifact store."""

    key: Name = Field(description="Key below the store's prefix.")
    serialization_type: Name = Field(description="How its bytes are encoded, such as json, table or pickle.")
    sha256: Digest


def _default_kind(default: Any) -> str:
    """Return which of the two defaults this is; anything else is judged as an inline one."""
    if isinstance(default, Mapping):
        is_stored = "value" not in default and StoredDefault.model_fields.keys() & default.keys()
        return "stored" if is_stored else "inline"
    return "stored" if isinstance(default, StoredDefault) else "inline"


Default = Annotated[
    Annotated[InlineDefault, Tag("inline")] | Annotated[StoredDefault, Tag("stored")],
    Discriminator(_default_kind),
]


class Parameter(Model):
    """A value that each run may set."""

    name: Label = Field(description="Unique in the spec; the key in Airflow's params.")
    type: ArtifactType = Field(description="What a value of it must be.")
    default: Default = Field(description="Its value in runs that set none.")
    description: str = Field("", description="Shown in Airflow's trigger form.")


class Code(Model):
    """A function archive: a zip with one top-level folder."""

    key: Name = Field(description="Key of the zip below the store's prefix.")
    sha256: Digest = Field(description="Digest of the zip, checked before it is opened.")
    entry_file: Name = Field("model.py", description="File in the folder that is imported.")
    entry_class: str = Field("Function", description="Class in it; empty: the method is a module function.")
    entry_method: Name = Field("predict", description="Method that is called with the inputs in order.")
    custom_args: str = Field("", description="JSON object given to the class's set_args before the call.")
    requirements: Annotated[tuple[Name, ...], Field(max_length=1000)] | None = Field(
        None, description="pip requirements; null: those of the archive's requirements.txt."
    )
    python_version: Annotated[str, Field(pattern=PYTHON_PATTERN)] | None = Field(
        None, description="Minor version, 3.11; null: that of the archive's python_version.txt."
    )
    views: tuple[View, ...] = Field(
        (),
        max_length=MAX_ENTRIES,
        description="For each input, as which library's frame the method takes a table; empty, or missing at "
        "the end: as what it was made.",
    )


class Resources(Model):
    """The resources that the operator requests; a hint where the executor cannot enforce them."""

    num_cpus: Annotated[int, Field(gt=0)] | None = Field(None, description="Number of CPUs.")
    memory_mb: Annotated[int, Field(gt=0)] | None = Field(None, description="Memory in MB (10**6 bytes).")
    gpu_resource_name: str | None = Field(
        None, description="Kubernetes name of the GPU.", examples=["nvidia.com/gpu"]
    )
    cuda_version: str | None = Field(
        None, description="CUDA version that the code needs.", examples=["11.4.1"]
    )
    use_llm: bool | None = Field(None, description="Whether the code runs a large language model.")


class OperatorBase(Model):
    """The fields of all operators."""

    id: Identifier = Field(description="Unique in the spec; part of the exec state's key.")
    task_id: Identifier = Field(description="Readable, unique in the spec; the Airflow task id.")
    name: Label = Field(description="What users call it.")
    description: str = Field("", description="Markdown; shown as the task's docs in Airflow.")
    inputs: tuple[Identifier, ...] = Field(
        (), max_length=MAX_ENTRIES, description="Ids of the artifacts it reads, in order."
    )
    outputs: tuple[Identifier, ...] = Field(
        (), max_length=MAX_ENTRIES, description="Ids of the artifacts it writes, in order."
    )
    after: tuple[Identifier, ...] = Field(
        (),
        max_length=MAX_ENTRIES,
        description="Task ids that must succeed first, beyond those whose artifacts it reads.",
    )
    retries: Annotated[int, Field(ge=0, le=100)] | None = Field(
        None, description="Tries after the first; null: as many as Airflow's default_task_retries says."
    )
    retry_delay: Seconds | None = Field(
        None, description="Seconds between two tries; null: Airflow's default_task_retry_delay."
    )
    timeout: Seconds | None = Field(None, description="Seconds after which a try is ended.")
    pool: Name | None = Field(None, description="Airflow pool.")
    resources: Resources | None = Field(None, description="What it asks of the machine.")
    fuse: Identifier | None = Field(
        None,
        description="Operators with the same name here run one after the other in one Airflow task of that "
        "id; null: in a task of its own, as is a load that appends what the group makes.",
    )

    @property
    def airflow_task_id(self) -> str:
        """The Airflow task that runs it."""
        return self.fuse or self.task_id


class FunctionOperator(OperatorBase):
    """Calls a function: any inputs, any outputs."""

    type: Literal["function"]
    code: Code = Field(description="The function's archive and its entry point.")


class MetricOperator(OperatorBase):
    """Calls a function whose one output is a number."""

    type: Literal["metric"]
    code: Code = Field(description="The function's archive and its entry point.")


class CheckOperator(OperatorBase):
    """Calls a function whose one output says whether the check passed."""

    type: Literal["check"]
    code: Code = Field(description="The function's archive and its entry point.")
    severity: Literal["error", "warning"] = Field(
        "error",
        description="error: a failed check fails its task; warning: it is recorded, the flow goes on.",
    )
    notifications: Notifications = Field((), description="Who is notified of this check, beyond the flow's.")


class ParamOperator(OperatorBase):
    """Makes a parameter's value of this run an artifact."""

    type: Literal["param"]
    parameter: Label = Field(description="Name of the parameter.")


class SystemMetricOperator(OperatorBase):
    """Makes a measurement of the operator behind its input an artifact."""

    type: Literal["system_metric"]
    metric: Literal["runtime", "max_memory"] = Field(description="Seconds, or MB.")


class ExtractOperator(OperatorBase):
    """Reads from a data system."""

    type: Literal["extract"]
    source: Source = Field(description="Where to read.")


class LoadOperator(OperatorBase):
    """Saves its last input to a data system; earlier inputs are string parameters."""

    type: Literal["load"]
    target: Target = Field(description="Where to write.")


CallOperator = FunctionOperator | MetricOperator | CheckOperator
Operator = Annotated[
    FunctionOperator
    | MetricOperator
    | CheckOperator
    | ParamOperator
    | SystemMetricOperator
    | ExtractOperator
    | LoadOperator,
    Field(discriminator="type"),
]


class Retention(Model):
    """How long artifacts are kept."""

    k_latest_runs: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="How many of the newest successful runs keep their artifacts; null: all runs. Those of "
        "older runs are deleted when a run has succeeded, never those of active runs.",
    )


class WorkflowSpec(Model):
    """One published version of a flow: everything that Airflow needs to run it."""

    schema_url: str | None = Field(
        None,
        alias="$schema",
        exclude=True,
        description="For editors: where the JSON Schema of this format is. Nothing reads it.",
    )
    spec_version: Literal[1] = Field(description="The version of this format.")
    flow: FlowIdentity = Field(description="What this is a version of.")
    version: FlowVersion = Field(description="Which version this is.")
    dag_id: Identifier = Field(description="The Airflow DAG id.")
    schedule: Schedule | None = Field(None, description="null: manual runs only.")
    artifact_store: ArtifactStore = Field(description="Where code, artifacts and outcomes are stored.")
    artifacts: tuple[ArtifactSpec, ...] = Field(
        (), max_length=2 * MAX_OPERATORS, description="Every artifact that an operator writes."
    )
    parameters: tuple[Parameter, ...] = Field(
        (), max_length=MAX_PARAMETERS, description="What may be set for each run."
    )
    operators: Annotated[tuple[Operator, ...], Field(min_length=1, max_length=MAX_OPERATORS)] = Field(
        description="The tasks."
    )
    retention: Retention = Field(
        Retention.model_construct(k_latest_runs=None), description="Which runs keep their artifacts."
    )
    notifications: Notifications = Field((), description="Who is notified of its checks and of its failures.")

    _compiled: Compiled | None = PrivateAttr(None)
    _sha256: str = PrivateAttr("")

    @property
    def sha256(self) -> str:
        """The digest of the JSON that this was read from."""
        return self._sha256

    @property
    def compiled(self) -> Compiled | None:
        """The facts of the compiled dialect; None for native specs."""
        return self._compiled

    @property
    def table_serialization(self) -> str:
        """How the flow stores tables: as the original's JSON where the original must read them."""
        return "table" if self._compiled is not None else "parquet"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that the spec holds, the longest first, to be masked; native specs hold none."""
        return self._compiled.secrets if self._compiled else ()

    def redact(self, text: str) -> str:
        """Return the text without the secrets that the spec holds."""
        return Redactor(self.secrets)(text)

    def artifact(self, artifact_id: str) -> ArtifactSpec:
        """Return the artifact with this id; raises ``KeyError``."""
        for artifact in self.artifacts:
            if artifact.id == artifact_id:
                return artifact
        raise KeyError(artifact_id)

    def parameter(self, name: str) -> Parameter:
        """Return the parameter with this name; raises ``KeyError``."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)

    def producer(self, artifact_id: str) -> Operator:
        """Return the operator that writes this artifact; raises ``KeyError``."""
        for operator in self.operators:
            if artifact_id in operator.outputs:
                return operator
        raise KeyError(artifact_id)
