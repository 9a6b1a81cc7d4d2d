"""Describe where extracts read and loads write in the native spec (Aqueduct formats, section 6).

A source or target names its connector and an Airflow connection; credentials are never part of a native spec.
Those of the compiled dialect are described in ``compiled_connectors.py``. The names of connectors are those
of ``connectors/registry.py``; the JSON Schema has those of this package only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, JsonValue, Tag

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.system import DataSystem
from aqueduct_provider.spec.types import MAX_ENTRIES, MAX_TEXT, ArtifactType, Model, Name

Query = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]

TableFormat = Literal["CSV", "JSON", "Parquet"]
UpdateMode = Literal["append", "replace", "fail"]
if TYPE_CHECKING:
    SqlSource = str
    SqlTarget = str
else:
    _SQL = [system for system in registry.built_in().values() if system.family == "sql"]
    SqlSource = Literal[tuple(system.name for system in _SQL)]
    SqlTarget = Literal[tuple(system.name for system in _SQL if system.is_written)]

_CONNECTION = "Airflow connection of the data system."


class FilesExtract(Model):
    """Reads files from a bucket."""

    filepath: Name | Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_ENTRIES)] = Field(
        description="Key; a key that ends with / is a prefix; a list of keys gives a tuple of their values."
    )
    artifact_type: ArtifactType = Field(description="What each file is.")
    format: TableFormat | None = Field(None, description="Needed for tables.")
    merge: bool = Field(False, description="Make one table of all files.")


class FilesLoad(Model):
    """Writes an artifact to a file in a bucket."""

    filepath: Name = Field(description="Key; each {name} is filled by the next string input.")
    format: TableFormat | None = Field(None, description="Needed for tables.")


class S3Extract(FilesExtract):
    """Reads files from S3."""

    connector: Literal["S3"]
    connection_id: Name | None = Field(None, description="aqueduct connection; null: the artifact store's.")


class S3Load(FilesLoad):
    """Writes an artifact to a file in S3."""

    connector: Literal["S3"]
    connection_id: Name | None = Field(None, description="aqueduct connection; null: the artifact store's.")


class GcsExtract(FilesExtract):
    """Reads files from Google Cloud Storage."""

    connector: Literal["GCS"]
    connection_id: Name = Field(description=_CONNECTION)


class GcsLoad(FilesLoad):
    """Writes an artifact to a file in Google Cloud Storage."""

    connector: Literal["GCS"]
    connection_id: Name = Field(description=_CONNECTION)


class SqlExtract(Model):
    """Reads the result of a query as a table."""

    connector: SqlSource
    connection_id: Name = Field(description=_CONNECTION)
    queries: Annotated[tuple[Query, ...], Field(min_length=1, max_length=1000)] = Field(
        description="A query, or a chain in which $ means the query before; $1, $2, ... are the string "
        "inputs, bound as parameters."
    )
    decimals: Literal["exact", "float"] = Field(
        "exact", description="What columns of decimals are: Python's Decimal, or floats."
    )


class SqlLoad(Model):
    """Writes a table into a table of a database."""

    connector: SqlTarget
    connection_id: Name = Field(description=_CONNECTION)
    table: str = Field(description="table or schema.table; empty: the first string input.")
    update_mode: UpdateMode = Field(
        "replace", description="What is done where the table exists: add rows, replace it, or fail."
    )


class MongoQuery(Model):
    """The arguments of pymongo's find."""

    args: tuple[JsonValue, ...] = Field((), description="Arguments by position: the filter, the projection.")
    kwargs: dict[str, Any] = Field({}, description="Arguments by name, such as sort or limit.")


class MongoExtract(Model):
    """Reads the documents that a query finds as a table."""

    connector: Literal["MongoDB"]
    connection_id: Name = Field(description=_CONNECTION)
    collection: Name = Field(description="Name of the collection.")
    query: MongoQuery = Field(
        MongoQuery.model_construct(args=(), kwargs={}),
        description='In its strings $1, $2, ... are the string inputs. Extended JSON, such as {"$oid": ...}.',
    )


class MongoLoad(Model):
    """Writes a table into a collection."""

    connector: Literal["MongoDB"]
    connection_id: Name = Field(description=_CONNECTION)
    collection: str = Field(description="Name of the collection; empty: the first string input.")
    update_mode: UpdateMode = Field(
        "replace", description="What is done where the collection exists: add rows, replace it, or fail."
    )


class RegisteredExtract(SqlExtract):
    """Reads from a system of another package."""

    connector: Name


class RegisteredLoad(SqlLoad):
    """Writes to a system of another package."""

    connector: Name


class _SchemaOfBuiltIn:
    """Leave systems of other packages out of the JSON Schema, which is the same on every machine."""

    @staticmethod
    def __get_pydantic_json_schema__(schema: Any, handler: Any) -> Any:
        return handler(schema["choices"]["built-in"])


def _origin_of_source(value: Any) -> str:
    return "registered" if _registered(value) else "built-in"


def _origin_of_target(value: Any) -> str:
    system = _registered(value)
    return "registered" if system and system.is_written else "built-in"


def _registered(value: Any) -> DataSystem | None:
    """Find the SQL system of another package that a source or target names."""
    name = value.get("connector") if isinstance(value, dict) else getattr(value, "connector", None)
    system = registry.find(name) if isinstance(name, str) and name not in registry.built_in() else None
    return system if system and system.family == "sql" else None


_BuiltInSource = Annotated[
    S3Extract | GcsExtract | SqlExtract | MongoExtract, Field(discriminator="connector")
]
_BuiltInTarget = Annotated[S3Load | GcsLoad | SqlLoad | MongoLoad, Field(discriminator="connector")]
Source = Annotated[
    Annotated[_BuiltInSource, Tag("built-in")] | Annotated[RegisteredExtract, Tag("registered")],
    Discriminator(_origin_of_source),
    _SchemaOfBuiltIn,
]
Target = Annotated[
    Annotated[_BuiltInTarget, Tag("built-in")] | Annotated[RegisteredLoad, Tag("registered")],
    Discriminator(_origin_of_target),
    _SchemaOfBuiltIn,
]
