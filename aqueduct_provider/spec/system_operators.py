"""Where extracts read and loads write: the data systems of the native spec (Aqueduct formats,
section 6).

A source or target names its connector and an Airflow connection; a native spec never holds credentials.
Those of the compiled dialect are described in ``compiled_connectors.py``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from aqueduct_provider.spec.types import MAX_ENTRIES, MAX_TEXT, ArtifactType, Model, Name

Query = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]

TableFormat = Literal["CSV", "JSON", "Parquet"]
UpdateMode = Literal["append", "replace", "fail"]
SqlSystem = Literal[
    "Postgres", "Redshift", "MySQL", "MariaDB", "SQLite", "SQL Server", "AzureSQL", "Snowflake", "BigQuery"
]

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

    connector: SqlSystem | Literal["Athena"]
    connection_id: Name = Field(description=_CONNECTION)
    queries: Annotated[tuple[Query, ...], Field(min_length=1, max_length=1000)] = Field(
        description="A query, or a chain in which $ means the query before; $1, $2, ... are the string "
        "inputs, bound as parameters."
    )


class SqlLoad(Model):
    """Writes a table into a table of a database."""

    connector: SqlSystem
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


Source = Annotated[S3Extract | GcsExtract | SqlExtract | MongoExtract, Field(discriminator="connector")]
Target = Annotated[S3Load | GcsLoad | SqlLoad | MongoLoad, Field(discriminator="connector")]
