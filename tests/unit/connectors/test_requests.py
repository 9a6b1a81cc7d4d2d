"""Orders travel as one line of JSON, and are shown without what is secret."""

from __future__ import annotations

import pytest

from aqueduct_provider.connectors.requests import (
    ExtractOrder,
    LoadOrder,
    Order,
    SystemOrder,
    from_json,
    to_json,
)

SYSTEM = SystemOrder("Postgres", {"host": "h", "password": "hunter2\n", "port": 5432, "options": {"a": "b"}})
EXTRACT = ExtractOrder(
    SYSTEM,
    "outputs/0",
    ("SELECT 'ä\n$1'", "SELECT $"),
    parameters=("x\u2028y",),
    dates={"ds": "2026-11-21"},
    tables="table",
)
FIND = ExtractOrder(SYSTEM, "out", collection="c", find={"args": [{"a": 1}], "kwargs": {"limit": 2}})
LOAD = LoadOrder(SYSTEM, "s.t", "append", "inputs/1", "table", "parquet", "k" * 64, "d" * 64, "flow run")


@pytest.mark.parametrize("order", [EXTRACT, FIND, LOAD], ids=["extract", "find", "load"])
def test_what_was_sent_arrives(order: Order) -> None:
    assert from_json(to_json(order)) == order


@pytest.mark.parametrize("order", [EXTRACT, LOAD], ids=["extract", "load"])
def test_an_order_is_one_line(order: Order) -> None:
    assert len(to_json(order).splitlines()) == 1
    assert to_json(order).isascii()


@pytest.mark.parametrize("order", [EXTRACT, LOAD], ids=["extract", "load"])
def test_credentials_are_not_shown(order: Order) -> None:
    assert "hunter2" in to_json(order)
    assert "hunter2" not in repr(order)
    assert "Postgres" in repr(order)
