"""Queries: what is bound, what is replaced, what is refused, on every database."""

from __future__ import annotations

import pyarrow as pa
import pytest

from aqueduct_provider.connectors import run
from aqueduct_provider.connectors.requests import SystemOrder
from aqueduct_provider.errors import DataSystemLoginFailed, DataSystemUnavailable, StatementRefused
from tests.connectors.conftest import System
from tests.connectors.system_jobs import Desk

EVIL = [
    "x'; DROP TABLE t; --",
    "' OR '1'='1",
    "\\",
    "\\'; DROP TABLE t; -- ",
    '"; DROP TABLE t; --',
    "%s $1 {{ ds }}",
    "🍎",
]


@pytest.fixture
def table(desk: Desk) -> None:
    values = [*EVIL, "plain"]
    desk.load(
        pa.table(
            {"id": list(range(len(values))), "name": values, "price": [i / 2 for i in range(len(values))]}
        )
    )


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("value", EVIL)
@pytest.mark.parametrize("place", ["name = $1", "name = '$1'", "name LIKE '$1'", "name IN ('$1', '$1')"])
def test_a_value_is_data(desk: Desk, value: str, place: str) -> None:
    if "LIKE" in place and "\\" in value:
        value = value.replace("\\", "\\\\")
    found = desk.rows(f"SELECT name FROM t WHERE {place}", parameters=[value])
    expected = value.replace("\\\\", "\\") if "LIKE" in place and desk.name != "SQLite" else value
    assert [row["name"] for row in found] == ([expected] if expected in EVIL else [])
    assert len(desk.rows("SELECT name FROM t")) == len(EVIL) + 1


@pytest.mark.usefixtures("table")
def test_values_inside_literals(desk: Desk) -> None:
    assert desk.rows("SELECT '100% $1!' AS a, 'cost: $5, %s' AS b, '{{ ds }}' AS c", parameters=["it's"]) == [
        {"a": "100% it's!", "b": "cost: $5, %s", "c": "2026-11-21"}
    ]
    assert desk.rows("SELECT name FROM t WHERE name LIKE '%$1%'", parameters=["lai"]) == [{"name": "plain"}]


@pytest.mark.usefixtures("table")
def test_a_number_is_compared_as_one(desk: Desk) -> None:
    assert desk.rows("SELECT name FROM t WHERE id = $1", parameters=["7"]) == [{"name": "plain"}]
    assert desk.rows("SELECT name FROM t WHERE id * 2 > $1", parameters=["13"]) == [{"name": "plain"}]
    assert desk.rows("SELECT name FROM t WHERE price >= $1", parameters=["3.5"]) == [{"name": "plain"}]


@pytest.mark.usefixtures("table")
def test_limits_and_names(desk: Desk) -> None:
    rows = desk.rows("SELECT $2.name FROM $1 AS t ORDER BY $3 LIMIT $4", parameters=["t", "t", "id", "2"])
    assert [row["name"] for row in rows] == EVIL[:2]
    with pytest.raises(StatementRefused, match=r"\$1 is used as the name of a table or column"):
        desk.rows("SELECT * FROM $1", parameters=["t; DROP TABLE t"])
    with pytest.raises(StatementRefused, match="must be an integer"):
        desk.rows("SELECT * FROM t LIMIT $1", parameters=["1; DROP TABLE t"])


@pytest.mark.usefixtures("table")
def test_dates_of_the_run(desk: Desk) -> None:
    query = (
        "SELECT {{ today }} AS a, {{ ds }} AS b, {{ data_interval_start }} AS c, {{data_interval_end}} AS d"
    )
    assert [*desk.rows(query)[0].values()] == [
        "2026-11-22",
        "2026-11-21",
        "2026-11-21 00:00:00",
        "2026-11-22 00:00:00",
    ]


@pytest.mark.usefixtures("table")
def test_chains(desk: Desk) -> None:
    chain = (
        "SELECT id, name FROM t WHERE id > $1 -- not the first;",
        "SELECT id + 1 AS id FROM $;",
        "WITH most AS (SELECT max(id) AS id FROM $) SELECT count(*) AS n, (SELECT id FROM most) AS m FROM $",
    )
    assert desk.rows(*chain, parameters=["4"]) == [{"n": 3, "m": 8}]


def test_mistakes_are_one_sentence(desk: Desk) -> None:
    with pytest.raises(StatementRefused, match="nope"):
        desk.rows("SELECT * FROM nope")
    with pytest.raises(StatementRefused, match=r"refuses the statement: .*syntax"):
        desk.rows("SELEC 1")
    with pytest.raises(StatementRefused, match="several columns named 'a': give each its own with AS"):
        desk.rows("SELECT 1 AS a, 2 AS a, 3 AS b")
    with pytest.raises(StatementRefused, match=r"The SQL uses \$2, and there is 1 parameter"):
        desk.rows("SELECT $2", parameters=["a"])


def test_a_database_says_who_it_is_and_what_it_has(desk: Desk, system: System) -> None:
    assert " answers: " in run.check(desk.system)
    assert run.discover(desk.system) == []
    system.run("CREATE TABLE a (x INTEGER)")
    system.run("CREATE VIEW b AS SELECT x FROM a")
    desk.load(pa.table({"x": [1]}), "c", "append")
    assert run.discover(desk.system) == ["a", "b", "c"]


def test_connections_that_fail(desk: Desk) -> None:
    def check(**changes: str) -> str:
        return run.check(SystemOrder(desk.name, {**desk.system.config, **changes}))

    if desk.name == "SQLite":
        with pytest.raises(DataSystemLoginFailed, match="does not exist on this machine"):
            check(database="/nowhere/a.db")
        (desk.folder / "text").write_text("no database" * 100)
        with pytest.raises(DataSystemLoginFailed, match="not a database"):
            check(database=str(desk.folder / "text"))
        return
    with pytest.raises(DataSystemLoginFailed, match="Correct the connection") as caught:
        check(password="wrong-and-secret")
    assert "wrong-and-secret" not in str(caught.value)
    with pytest.raises(DataSystemLoginFailed, match="nope"):
        check(database="nope")
    with pytest.raises(DataSystemUnavailable):
        check(port="1")
    with pytest.raises(DataSystemUnavailable):
        check(host="no-such-host.invalid")
