"""Declare MongoDB, which holds documents instead of tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, unquote

from aqueduct_provider.connectors.system import (
    TABLE_MODULES,
    AirflowConnection,
    Config,
    DataSystem,
    Extra,
    OptionRules,
    option_text,
)

if TYPE_CHECKING:
    from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder
    from aqueduct_provider.connectors.tables.model import TableLoad
    from aqueduct_provider.runner.contract import OutputInfo

_INSECURE = "tlsAllowInvalidCertificates"
_TRUE = ("true", "1")


class MongoDb(DataSystem):
    """A database of a MongoDB server or cluster."""

    def config_of_connection(self, connection: AirflowConnection, extra: Extra) -> Config:
        """Return the URI; what the extra holds beyond ``srv`` are its options, such as ``authSource``."""
        fields = dict(extra.fields)
        scheme = "mongodb+srv" if option_text(fields.pop("srv", "")).lower() in _TRUE else "mongodb"
        login = f"{quote(connection.login or '', safe='')}:{quote(connection.password or '', safe='')}@"
        place = f"{connection.host or ''}{f':{connection.port}' if connection.port else ''}"
        if option_text(fields.get(_INSECURE, "")).lower() not in _TRUE:
            # Without TLS, pymongo refuses all options of it.
            fields.pop(_INSECURE, None)
        values = {**{name: option_text(value) for name, value in fields.items()}, **extra.options}
        options = "&".join(f"{name}={quote(_uri_value(value), safe='')}" for name, value in values.items())
        uri = f"{scheme}://{login if connection.login else ''}{place}/{'?' if options else ''}{options}"
        return {"auth_uri": uri if connection.host else "", "database": connection.schema or ""}

    def url_scheme(self, parts: SplitResult) -> str:
        return parts.scheme

    def config_of_url(self, url: str, parts: SplitResult) -> Mapping[str, str]:
        return {"auth_uri": url, "database": unquote(parts.path.removeprefix("/"))}

    def extract(self, database: Any, request: ExtractOrder, folder: Path) -> OutputInfo:
        from aqueduct_provider.connectors.mongodb.database import write_bson_table

        documents = database.find(request.collection, request.find, request.parameters)
        return write_bson_table(documents, folder, request.path)

    def load(self, database: Any, request: LoadOrder, target: TableLoad, folder: Path) -> int | None:
        from aqueduct_provider.connectors.mongodb.database import stored_documents

        documents = stored_documents(folder / request.path, request.serialization_type)
        rows: int | None = database.write(documents, target)
        return rows


def _uri_value(text: str) -> str:
    """Write an object or a list as a MongoDB URI has them."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, dict):
        return ",".join(f"{name}:{one}" for name, one in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else text


SYSTEMS = (
    MongoDb(
        "MongoDB",
        __package__,
        aliases=("mongo",),
        family="mongodb",
        needed=("auth_uri", "database"),
        optional=("connection_id",),
        secrets=("auth_uri",),
        schemes=("mongodb", "mongodb+srv"),
        connection_types=("mongo",),
        needed_of_connection=("auth_uri", "database"),
        # Options of the URI, which the connector checks with pymongo's own list.
        options=OptionRules(
            fields={"srv": "srv", "allow_insecure": "tlsAllowInvalidCertificates", "ssl": "tls"}
        ),
        extra="mongodb",
        drivers=("pymongo", *TABLE_MODULES),
        original_config="mongodb",
    ),
)
