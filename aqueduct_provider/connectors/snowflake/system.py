"""Declare Snowflake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlencode

from aqueduct_provider.connectors.sql.dialect import COMMON_TYPES, Dialect
from aqueduct_provider.connectors.system import (
    SET_HERE,
    TABLE_MODULES,
    AirflowConnection,
    Config,
    DataSystem,
    Extra,
    OptionRules,
    login_of_connection,
    login_of_url,
    url_options,
)
from aqueduct_provider.connectors.uris import name_parts, on_host

_OAUTH = "give a token with authenticator oauth, the driver's own oauth_client_id and so on, or a private key"
_OAUTH_EXTRAS = ("azure_conn_id", "grant_type", "refresh_token", "scope", "token_endpoint", "oauth_username")
_OWN_OPTIONS = ("paramstyle", "arrow_number_to_decimal", "numpy", "converter_class", "autocommit")


def stored(name: str) -> str:
    """Return a name as Snowflake stores it."""
    return name.upper() if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else name


class _SnowflakeDialect(Dialect):
    """Quotes names as they are stored. A schema may be ``database.schema``."""

    def quote(self, name: str) -> str:
        return super().quote(stored(name))

    def render_name(self, parts: tuple[str, ...]) -> str:
        return ".".join(self.quote(word) for part in parts for word in part.split("."))


SNOWFLAKE: Dialect = _SnowflakeDialect(
    "Snowflake",
    backslashes=True,
    dollar_quotes=True,
    max_name=255,
    types={
        **COMMON_TYPES,
        "float32": "FLOAT",
        "float64": "FLOAT",
        "decimal": "NUMBER({precision}, {scale})",
        "text": "VARCHAR",
        "json": "VARIANT",
        "binary": "BINARY",
        "time": "TIME(6)",
        "timestamp": "TIMESTAMP_NTZ(6)",
        "timestamptz": "TIMESTAMP_TZ(6)",
    },
    decimal_digits=(38, 37),
)


class Snowflake(DataSystem):
    """An account of Snowflake."""

    def config_of_connection(self, connection: AirflowConnection, extra: Extra) -> Config:
        options = dict(extra.options)
        account = str(extra.fields.get("account_identifier", ""))
        if account:
            # Next to an account, a host is an address.
            addresses = {"host": connection.host, "port": connection.port}
            options = {**{name: str(found) for name, found in addresses.items() if found}, **options}
        return {
            **login_of_connection(connection),
            "schema": connection.schema or "public",
            **{name: str(value) for name, value in extra.fields.items()},
            "account_identifier": account or connection.host or "",
            **({"options": options} if options else {}),
        }

    def config_of_url(self, url: str, parts: SplitResult) -> Mapping[str, str]:  # noqa: ARG002
        database, _, schema = parts.path.strip("/").partition("/")
        options = url_options(parts.query)
        own = {name: options.pop(name, "") for name in ("warehouse", "role")}
        names = {"database": unquote(database), "schema": unquote(schema)}
        # Not .hostname: account identifiers keep their case.
        account = parts.netloc.rpartition("@")[2].partition(":")[0]
        login = login_of_url(parts)
        return {"account_identifier": account, **names, **own, **login, "options": urlencode(options)}

    def config_of_original(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Rename ``db_schema``, as the original's Python files call ``schema``."""
        if "db_schema" not in config or "schema" in config:
            return config
        return {("schema" if name == "db_schema" else name): value for name, value in config.items()}

    def table_uri(self, config: Mapping[str, Any], table: str) -> str | None:
        parts, database = name_parts(table), config.get("database")
        if not parts:
            return None
        path = [database, *parts] if len(parts) == 2 else [database, config.get("schema") or "public", *parts]
        return on_host("snowflake", config.get("account_identifier"), path)


SYSTEMS = (
    Snowflake(
        "Snowflake",
        __package__,
        needed=("account_identifier", "database", "warehouse", "username"),
        optional=("schema", "role", "options", "connection_id"),
        schemes=("snowflake",),
        connection_types=("snowflake",),
        needed_of_connection=("username", "account_identifier", "database", "warehouse"),
        options=OptionRules(
            refused={
                **dict.fromkeys((*_OAUTH_EXTRAS, "oauth_password"), _OAUTH),
                **dict.fromkeys(_OWN_OPTIONS, SET_HERE),
            },
            fields={name: name for name in ("database", "warehouse", "role", "schema")}
            | {"account": "account_identifier"},
            prefix="extra__snowflake__",
        ),
        extra="snowflake",
        drivers=("snowflake.connector", *TABLE_MODULES),
        below={"snowflake-connector-python": "5"},
        dialect=SNOWFLAKE,
        original_config="snowflake",
    ),
)
