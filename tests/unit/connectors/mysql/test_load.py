"""Loads into MariaDB: both bulk paths, what they must not change, and what they leave behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.mysql import database as mysql
from aqueduct_provider.connectors.mysql import load
from aqueduct_provider.connectors.tables.model import KIND, Batches, TableLoad, TableName
from aqueduct_provider.errors import DataSystemError, DataSystemUnavailable, LoadRefused, StatementRefused
from tests.data_servers.mariadb import MariaDbServer
from tests.support.arrow_tables import batches, cut_off, numbers


@dataclass
class Place:
    """A new database, and loads into it."""

    server: MariaDbServer
    config: dict[str, Any]

    def __post_init__(self) -> None:
        self._numbers = count(1)

    def run(self, sql: str) -> list[Any]:
        return self.server.run(sql, database=self.config["database"])

    def load(self, data: pa.Table | Batches, mode: Any = "replace", target: str = "t", key: str = "") -> Any:
        """A load of a run of its own, unless its key says otherwise."""
        key = key or f"{next(self._numbers):x}".zfill(24).ljust(64, "0")
        load = TableLoad(TableName("", target), mode, key, "d" * 64, "run")
        with closing(mysql.connect("MariaDB", self.config)) as database:
            return database.write(data if isinstance(data, Batches) else batches(data), load)

    def tables(self) -> list[str]:
        return [name for (name,) in self.run("SHOW TABLES")]


@pytest.fixture
def place(mariadb: MariaDbServer) -> Place:
    return Place(mariadb, mariadb.new_database())


@pytest.fixture(params=["by file", "by statements"])
def path(request: pytest.FixtureRequest, mariadb: MariaDbServer) -> Iterator[str]:
    """Either of the bulk paths."""
    if request.param == "by file":
        yield request.param
        return
    mariadb.run("SET GLOBAL local_infile = 0")
    try:
        yield request.param
    finally:
        mariadb.run("SET GLOBAL local_infile = 1")


@pytest.mark.usefixtures("path")
def test_values_arrive_as_they_are(place: Place) -> None:
    schema = pa.schema(
        [
            pa.field("a%b", pa.int64()),
            pa.field("bytes", pa.binary()),
            pa.field("text", pa.string()),
            pa.field("truth", pa.bool_()),
            pa.field("float", pa.float64()),
            pa.field("time", pa.time64("us")),
            pa.field("at", pa.timestamp("us", "UTC")),
            pa.field("json", pa.string(), metadata={KIND: b"json"}),
        ]
    )
    moment = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
    rows = [
        (1, b"\xff%s\0\\", "%s\\N\t\r\n\0'\"", True, 1.5, dt.time(1, 2, 3), moment, '{"a": "\\n"}'),
        (2, None, None, None, float("nan"), None, None, None),
        (3, b"", "\\N", False, -0.0, dt.time(0), moment, "null"),
    ]
    data = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    for mode in ("replace", "append"):
        assert place.load(data, mode) == 3
    found = list(place.run("SELECT * FROM t ORDER BY 1"))
    expected = [
        (1, *rows[0][1:5], dt.timedelta(seconds=3723), dt.datetime(2024, 1, 1), '{"a": "\\n"}'),
        (2, *[None] * 7),
        (3, b"", "\\N", False, -0.0, dt.timedelta(0), dt.datetime(2024, 1, 1), "null"),
    ]
    assert found == [row for row in expected for _ in range(2)]


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("mode", ["replace", "fail", "append"])
def test_text_that_is_no_json_is_refused_and_nothing_stays(place: Place, mode: str) -> None:
    schema = pa.schema([pa.field("j", pa.string(), metadata={KIND: b"json"})])
    place.run("CREATE TABLE other (a INT)")
    with pytest.raises(DataSystemError, match=r"JSON|CONSTRAINT"):
        place.load(pa.table({"j": ['{"a": 1}', "{bad"]}, schema), mode)
    assert set(place.tables()) - {"t", "aqueduct_loads"} == {"other"}
    if mode == "append":
        assert place.run("SELECT * FROM t") == []


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"a": 100_000, "b": "x"}, "Out of range value for column 'a'"),
        ({"a": 1, "b": "too long"}, "Data too long for column 'b'"),
        ({"a": 1, "c": "x"}, "Unknown column 'c'"),
    ],
)
def test_append_changes_no_value_to_make_it_fit(place: Place, row: dict[str, Any], words: str) -> None:
    place.run("CREATE TABLE t (a SMALLINT, b VARCHAR(3))")
    with pytest.raises(StatementRefused, match=words):
        place.load(
            pa.Table.from_pylist(
                [{"a": 1}, row],
                pa.schema([pa.field(name, pa.int64() if name == "a" else pa.string()) for name in row]),
            ),
            "append",
        )
    assert place.run("SELECT * FROM t") == []
    assert place.run("SELECT * FROM aqueduct_loads") == []


@pytest.mark.usefixtures("path")
def test_more_rows_than_one_statement_has(place: Place) -> None:
    assert place.load(numbers(2_500)) == 2_500
    assert place.run("SELECT COUNT(*), COUNT(DISTINCT n), MIN(n), MAX(n) FROM t") == [
        (2_500, 2_500, 0, 2_499)
    ]


@pytest.mark.parametrize("mode", ["replace", "fail", "append"])
def test_rows_that_break_off_leave_the_old_table_and_no_other(place: Place, mode: str) -> None:
    if mode != "fail":
        place.load(numbers(2))
    with pytest.raises(RuntimeError, match="cannot be read on"):
        place.load(cut_off(numbers(1_500)), mode)
    assert set(place.tables()) - {"aqueduct_loads"} == (set() if mode == "fail" else {"t"})
    if mode != "fail":
        assert place.run("SELECT COUNT(*) FROM t") == [(2,)]


def test_what_an_earlier_try_left_is_cleared_up(place: Place) -> None:
    key = "a" * 64
    place.run(f"CREATE TABLE aqueduct_{key[:24]} (x INT)")
    place.run(f"CREATE TABLE aqueduct_{key[:24]}_old (x INT)")
    place.load(numbers(1), key=key)
    assert place.tables() == ["t"]


def test_the_key_of_a_new_table_stands_in_its_comment(place: Place) -> None:
    key = "b" * 64
    assert place.load(numbers(1), "fail", key=key) == 1
    assert place.load(numbers(1), "fail", key=key) is None
    ((comment,),) = place.run(
        "SELECT table_comment FROM information_schema.tables WHERE table_name = 't' "
        "AND table_schema = DATABASE()"
    )
    assert comment == f"aqueduct {key} {'d' * 64}"
    with pytest.raises(LoadRefused, match="exists already"):
        place.load(numbers(1), "fail")


def test_a_view_of_the_old_table_shows_the_new_one(place: Place) -> None:
    place.load(numbers(1))
    place.run("CREATE VIEW v AS SELECT n FROM t")
    place.load(numbers(3))
    assert place.run("SELECT COUNT(*) FROM v") == [(3,)]


def test_a_load_that_waits_too_long_can_be_tried_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_LOCK_SECONDS", 0)
    with closing(mysql.connect("MariaDB", place.config)) as other:
        other.rows("SELECT GET_LOCK(MD5('aqueduct t'), 0)")
        with pytest.raises(DataSystemUnavailable, match="Another load has been writing t for 0 seconds"):
            place.load(numbers(1))
        assert place.load(numbers(1), target="u") == 1
    assert place.load(numbers(1)) == 1


def test_the_texts_of_a_file() -> None:
    table = pa.table({"a": pa.array(["x\ty", None, "\\N"]), "b": pa.array([True, False, None])})
    (batch,) = table.to_batches()
    assert b"".join(load._lines(batch)) == b"x\\ty\t1\n\\N\t0\n\\\\N\t\\N\n"
    assert list(load._lines(batch.slice(0, 0))) == []
