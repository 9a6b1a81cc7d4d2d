"""Write the URIs of tables as assets of Airflow, in the form of Airflow's providers (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

HOST = re.compile(r"[A-Za-z0-9._-]+")


def table_on_server(config: Mapping[str, Any], table: str, scheme: str, port: int, schema: str) -> str | None:
    """Return ``scheme://host:port/database/schema/table``; None where a part is missing or malformed.

    :param port: of servers that name none.
    :param schema: of tables that name none; empty: a schema is a database.
    """
    parts = name_parts(table)
    given = str(config.get("port") or port)
    if not parts or not given.isdecimal():
        return None
    within = parts if len(parts) == 2 else [schema, *parts]
    path = [config.get("database"), *within] if schema else [within[0] or config.get("database"), within[1]]
    return on_host(scheme, config.get("host"), path, f":{int(given)}")


def name_parts(table: str) -> list[str]:
    """Return the parts of ``table`` or ``schema.table``; empty where it is neither."""
    parts = table.split(".")
    return parts if all(parts) and len(parts) <= 2 else []


def on_host(scheme: str, host: Any, path: Sequence[Any], port: str = "") -> str | None:
    """Return ``scheme://host/path``, quoted; None where the host is not a valid name."""
    if not HOST.fullmatch(str(host or "")):
        return None
    return f"{scheme}://{host}{port}/" + "/".join(quote(str(part), safe="") for part in path)
