"""Requests to connectors: plain values, which travel to the child process as JSON (pure).

Orders hold credentials: they go through a pipe, never to a file or a command line, and are never shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aqueduct_provider.connectors.tables.model import UpdateMode


@dataclass(frozen=True)
class SystemOrder:
    """A data system and its configuration.

    :param connector: its name (Aqueduct formats, section 6): ``Postgres``, ``MongoDB``, ...
    :param config: the fields of its configuration, credentials among them.
    """

    connector: str
    config: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class ExtractOrder:
    """Read a table into a file.

    :param queries: for SQL: one query, or a chain.
    :param collection: for MongoDB.
    :param find: the arguments of ``find``: ``args`` and ``kwargs``.
    :param decimals: of SQL: ``exact``, or ``float``.
    :param parameters: values of ``$1``, ``$2``, ...
    :param dates: the value of each ``{{ name }}`` in a query.
    :param tables: how the table is stored: ``parquet``, or ``table``, the original's JSON.
    :param path: the file, in the job folder.
    :param patience: seconds for which S3 is waited for, where the result lies there; None: not at all.
    """

    system: SystemOrder
    path: str
    queries: tuple[str, ...] = ()
    decimals: str = "exact"
    collection: str = ""
    find: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    dates: Mapping[str, str] = field(default_factory=dict)
    tables: str = "parquet"
    patience: float | None = None


@dataclass(frozen=True)
class LoadOrder:
    """Write the table in a file.

    :param target: table, ``schema.table``, or collection.
    :param path: the artifact's content, in the job folder, and how it is stored.
    :param key: of :class:`TableLoad`, as ``digest`` and ``run``.
    """

    system: SystemOrder
    target: str
    mode: UpdateMode
    path: str
    artifact_type: str
    serialization_type: str
    key: str
    digest: str
    run: str


Order = ExtractOrder | LoadOrder


def to_json(order: Order) -> str:
    """Return the order as JSON; it holds credentials."""
    kind = "extract" if isinstance(order, ExtractOrder) else "load"
    return json.dumps({"kind": kind, **asdict(order)})


def from_json(text: str) -> Order:
    """Parse the order in ``text``."""
    data = json.loads(text)
    kind = data.pop("kind")
    data["system"] = SystemOrder(**data["system"])
    if kind == "load":
        return LoadOrder(**data)
    lists = {name: tuple(data[name]) for name in ("queries", "parameters")}
    return ExtractOrder(**{**data, **lists})
