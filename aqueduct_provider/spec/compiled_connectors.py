"""Data systems in the compiled dialect: a task's connector -> a source or target of the model.

In: connector name, configuration and parameters of an extract or load task (Aqueduct formats, section 6).
Out: a source or target with its configuration, and problems at the places of the document. Configurations
hold credentials: messages name fields, never values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NoReturn

from pydantic import Field, JsonValue, SecretStr, ValidationError

from aqueduct_provider.connectors import registry
from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.document import Parts, json_path, json_value
from aqueduct_provider.spec.system_operators import (
    GcsExtract,
    GcsLoad,
    MongoExtract,
    MongoLoad,
    MongoQuery,
    Query,
    S3Extract,
    S3Load,
    SqlExtract,
    SqlLoad,
    TableFormat,
)
from aqueduct_provider.spec.types import MAX_ENTRIES, MAX_NAME, ArtifactType, Model, Name, Secret
from aqueduct_provider.spec.validation import AnyModel, validated_part

FILE_SYSTEMS = ("S3", "GCS")
# Fields of a configuration that the original's connectors do not use: they read and write at a bucket's root.
_IGNORED = ("exec_state", "root_dir")
# The dialect names no connections: the configuration is in the spec.
_INLINE = "-"


class _Config(Model):
    """A connector's configuration; ``exec_state`` is the original server's own."""

    exec_state: JsonValue = None


class _ServerConfig(_Config):
    username: str
    password: Secret
    database: Name
    host: Name
    port: str | int = ""


class _SnowflakeConfig(_Config):
    username: Name
    password: Secret
    account_identifier: Name
    database: Name
    warehouse: Name
    schema_: str = Field("public", alias="schema")
    role: str | None = None


class _BigQueryConfig(_Config):
    project_id: Name
    service_account_credentials: Secret


class _SqliteConfig(_Config):
    """In the Python files of the original, it is written out as if it were Athena's, with empty fields."""

    database: Name
    type: Literal["access_key"] = "access_key"
    access_key_id: Literal[""] = ""
    secret_access_key: Literal[""] = ""
    region: Literal[""] = ""
    config_file_path: Literal[""] = ""
    config_file_content: Literal[""] = ""
    config_file_profile: Literal[""] = ""
    output_location: Literal[""] = ""


class _MongoConfig(_Config):
    auth_uri: Secret
    database: Name


class _AwsConfig(_Config):
    """How the original reaches AWS as a data system."""

    type: Literal["access_key", "config_file_path", "config_file_content"] = "access_key"
    access_key_id: Secret = SecretStr("")
    secret_access_key: Secret = SecretStr("")
    config_file_path: str = ""
    config_file_content: Secret = SecretStr("")
    config_file_profile: str = ""
    region: str = ""


class _S3Config(_AwsConfig):
    bucket: Name
    root_dir: str = ""
    use_as_storage: str = ""


class _AthenaConfig(_AwsConfig):
    database: Name
    output_location: Name


class _GcsConfig(_Config):
    bucket: Name
    service_account_credentials: Secret
    use_as_storage: str = ""


# By the declaration of each system; the original's format does not change, so that there will be no others.
_CONFIGS: dict[str, type[_Config]] = {
    "s3": _S3Config,
    "gcs": _GcsConfig,
    "athena": _AthenaConfig,
    "mongodb": _MongoConfig,
    "server": _ServerConfig,
    "snowflake": _SnowflakeConfig,
    "bigquery": _BigQueryConfig,
    "sqlite": _SqliteConfig,
}
CONFIGS = {
    system.name: _CONFIGS[system.original_config]
    for system in registry.built_in().values()
    if system.original_config
}


_UNUSED: dict[type[_Config], tuple[str, ...]] = {
    _SqliteConfig: tuple(name for name in _SqliteConfig.model_fields if name != "database")
}


class _FilesExtractParameters(Model):
    filepath: Query
    # What was read from JSON before holds text, not enums.
    artifact_type: ArtifactType = Field(strict=False)
    format: TableFormat | None = None
    merge: bool | None = None


class _FilesLoadParameters(Model):
    filepath: Name
    format: TableFormat | None = None


class _SqlExtractParameters(Model):
    query: str | None = None
    queries: Annotated[list[Query], Field(max_length=1000)] | None = None
    # The original's own, for its server.
    query_is_usable: bool | None = None
    github_metadata: JsonValue = None


class _MongoExtractParameters(Model):
    collection: Name
    query_serialized: str
    query: JsonValue = None


class _TableLoadParameters(Model):
    table: str
    update_mode: Literal["", "append", "replace", "fail"] = "replace"


Extracts = S3Extract | GcsExtract | SqlExtract | MongoExtract
Loads = S3Load | GcsLoad | SqlLoad | MongoLoad
# A connector's configuration, without a ``conf`` around; holds credentials.
Config = Mapping[str, Any]


class _Unreadable(Exception):
    """A part has no meaning; ``problems`` has the reason."""


# No repr: the configuration holds credentials.
@dataclass(frozen=True, eq=False, repr=False)
class ConnectorReader:
    """Reads the connector parts of one task.

    :param name: name of the connector.
    :param config: its configuration as in the document.
    :param parameters: the task's parameters as in the document.
    :param base: where the task is in the document.
    """

    name: str
    config: Mapping[str, Any]
    parameters: Mapping[str, Any]
    base: Parts
    problems: list[Problem] = field(default_factory=list, init=False)

    def source(self) -> tuple[Extracts, Config] | None:
        """Return what an extract reads, and how; None if it is unknown: ``problems`` has the reason."""
        try:
            config = self._checked_config()
            if self.name in FILE_SYSTEMS:
                return self._files_extract(), config
            return (self._mongo_extract() if self.name == "MongoDB" else self._sql_extract()), config
        except _Unreadable:
            return None

    def target(self) -> tuple[Loads, Config] | None:
        """Return what a load writes, and how; as :meth:`source`."""
        try:
            system = registry.built_in().get(self.name)
            if system and not system.is_written:
                self._refuse(
                    "connector_name", message=f"{self.name} is read only; save to another data system"
                )
            config = self._checked_config()
            return (self._files_load() if self.name in FILE_SYSTEMS else self._table_load()), config
        except _Unreadable:
            return None

    # --- configuration

    def _checked_config(self) -> Config:
        model = CONFIGS.get(self.name)
        if model is None:
            known = ", ".join(sorted(CONFIGS))
            self._refuse("connector_name", message=f"unknown connector '{self.name}'; use one of: {known}")
        config: Config = self.config
        place: Parts = ("connector_config",)
        if isinstance(config.get("conf"), dict):
            config, place = config["conf"], ("connector_config", "conf")
        config = registry.get(self.name).config_of_original(config)
        self.problems.extend(validated_part(model, config, (*self.base, *place))[1])
        unused = _IGNORED + _UNUSED.get(model, ())
        return {name: value for name, value in config.items() if name not in unused}

    def _parsed(self, model: type[AnyModel]) -> AnyModel:
        part, problems = validated_part(model, self.parameters, (*self.base, "parameters"))
        self.problems.extend(problems)
        if part is None:
            raise _Unreadable
        return part

    def _made(self, model: type[AnyModel], **fields: Any) -> AnyModel:
        connection = None if self.name == "S3" else _INLINE
        return model.model_validate({"connector": self.name, "connection_id": connection, **fields})

    def _problem(self, *place: str, message: str) -> None:
        self.problems.append(Problem(json_path((*self.base, *place)), message))

    def _refuse(self, *place: str, message: str) -> NoReturn:
        self._problem(*place, message=message)
        raise _Unreadable

    # --- files

    def _files_extract(self) -> S3Extract | GcsExtract:
        parameters = self._parsed(_FilesExtractParameters)
        filepath = decoded_filepath(parameters.filepath)
        if filepath is None:
            message = 'must be JSON inside the text: "\\"one/path\\"", or "[\\"a\\", \\"b\\"]"'
            self._problem("parameters", "filepath", message=message)
        model: type[S3Extract | GcsExtract] = S3Extract if self.name == "S3" else GcsExtract
        return self._made(
            model,
            filepath=filepath or "-",
            artifact_type=parameters.artifact_type,
            format=parameters.format,
            merge=bool(parameters.merge),
        )

    def _files_load(self) -> S3Load | GcsLoad:
        parameters = self._parsed(_FilesLoadParameters)
        model: type[S3Load | GcsLoad] = S3Load if self.name == "S3" else GcsLoad
        return self._made(model, filepath=parameters.filepath, format=parameters.format)

    # --- tables

    def _sql_extract(self) -> SqlExtract:
        parameters = self._parsed(_SqlExtractParameters)
        if bool(parameters.query) == bool(parameters.queries):
            self._refuse("parameters", message="give query or queries, and not both")
        return self._made(SqlExtract, queries=tuple(parameters.queries or [parameters.query]))

    def _mongo_extract(self) -> MongoExtract:
        parameters = self._parsed(_MongoExtractParameters)
        query = _decoded_query(parameters.query_serialized)
        if query is None:
            message = 'must be a JSON object inside the text: "{\\"args\\": [...], \\"kwargs\\": {...}}"'
            self._refuse("parameters", "query_serialized", message=message)
        return self._made(MongoExtract, collection=parameters.collection, query=query)

    def _table_load(self) -> SqlLoad | MongoLoad:
        parameters = self._parsed(_TableLoadParameters)
        mode = parameters.update_mode or "replace"
        if self.name == "MongoDB":
            return self._made(MongoLoad, collection=parameters.table, update_mode=mode)
        return self._made(SqlLoad, table=parameters.table, update_mode=mode)


def decoded_filepath(text: str) -> str | tuple[str, ...] | None:
    """Decode the path, or paths, that an extract's ``filepath`` holds as JSON text; None if it holds none."""
    try:
        value = json_value(text)
    except ValueError:
        return None
    paths = value if isinstance(value, list) else [value]
    if not 0 < len(paths) <= MAX_ENTRIES:
        return None
    if not all(isinstance(path, str) and 0 < len(path) <= MAX_NAME for path in paths):
        return None
    return tuple(paths) if isinstance(value, list) else str(value)


def _decoded_query(text: str) -> MongoQuery | None:
    try:
        value = json_value(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or not value.keys() <= {"args", "kwargs"}:
        return None
    args, kwargs = value.get("args") or [], value.get("kwargs") or {}
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        return None
    try:
        return MongoQuery(args=tuple(args), kwargs=kwargs)
    except ValidationError:
        # Nested too deeply.
        return None
