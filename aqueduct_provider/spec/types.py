"""The parts of the models of both dialects: their base class, names, and artifact types."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from aqueduct_provider.spec.artifact_types import ArtifactType as ArtifactType
from aqueduct_provider.spec.names import MAX_NAME as MAX_NAME
from aqueduct_provider.spec.names import nfc

DIGEST_PATTERN = r"^[0-9a-f]{64}$"
# Identifiers become parts of object keys: ``.`` and ``..`` must not be among them.
IDENTIFIER_PATTERN = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$"
# What Airflow can send to its tasks as a param.
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**64 - 1
PYTHON_PATTERN = r"^3\.[0-9]{1,3}$"

Digest = Annotated[str, Field(pattern=DIGEST_PATTERN, description="sha256 in lower-case hexadecimal.")]
Identifier = Annotated[str, Field(max_length=200, pattern=IDENTIFIER_PATTERN)]
# What a spec can hold, so that its DAG is made within seconds: characters of a text, entries of lists.
MAX_TEXT = 1_000_000
MAX_OPERATORS = 5000
MAX_PARAMETERS = 1000
MAX_ENTRIES = 5000

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Secret = Annotated[SecretStr, Field(max_length=100_000)]
# A name by which users look something up; of two spellings that look the same, one.
Label = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(nfc)]
# At most a year: far longer ones overflow where Airflow adds them to a date.
Seconds = Annotated[float, Field(gt=0, le=31_536_000)]


# A value of these types can be given as JSON: in a spec, in Airflow's trigger form, in a REST ``conf``.
JSON_TYPES = frozenset(
    {
        ArtifactType.UNTYPED,
        ArtifactType.STRING,
        ArtifactType.BOOLEAN,
        ArtifactType.NUMERIC,
        ArtifactType.DICTIONARY,
        ArtifactType.TUPLE,
        ArtifactType.LIST,
        ArtifactType.JSON,
    }
)


# Of ``frame_kinds.VIEWS``; a test compares them.
View = Literal[
    "",
    "pandas",
    "polars",
    "polars.LazyFrame",
    "pyarrow",
    "pyarrow.RecordBatch",
    "pyarrow.RecordBatchReader",
    "duckdb",
]


class Model(BaseModel):
    """Frozen, strict, and unknown fields are errors."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, str_max_length=MAX_TEXT
    )
