from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.demo import DEMO, DEMO_CONNECTION, demo_profile, make_demo
from aqueduct_provider.sdk.resources.demo_tables import TABLES


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def test_the_columns_are_declared_as_in_the_original(tmp_path: Path) -> None:
    make_demo(tmp_path / "demo")
    names = [name for (name,) in rows(tmp_path / "demo", "SELECT name FROM sqlite_master ORDER BY name")]
    assert names == sorted(TABLES)
    for name, columns in TABLES.items():
        found = rows(tmp_path / "demo", f"PRAGMA table_info({name})")
        assert [f"{column[1]} {column[2]}" for column in found] == columns.split(", ")
    assert (tmp_path / "demo").stat().st_size < 2_000_000


def test_values_are_of_the_declared_types_but_for_a_few_marks_of_unknown_numbers(tmp_path: Path) -> None:
    make_demo(tmp_path / "demo")
    stored = {"INTEGER": "integer", "REAL": "real", "TEXT": "text"}
    others = {}
    for table, columns in TABLES.items():
        for column, kind in map(str.split, columns.split(", ")):
            query = f"SELECT {column} FROM {table} WHERE typeof({column}) <> '{stored[kind]}'"
            if found := rows(tmp_path / "demo", query):
                others[f"{table}.{column}"] = found
    assert others == {"mpg.horsepower": [("\\N",)] * 6, "wine.quality": [("\\N",)] * 4}


def test_it_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    profile = demo_profile(folder)
    assert (profile.name, profile.service) == (DEMO, "SQLite")
    path = folder / "demo.sqlite"
    assert profile.fields == {"database": str(path), "connection_id": DEMO_CONNECTION}
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE mine (a)")
    demo_profile(folder)
    assert rows(path, "SELECT * FROM mine") == []
    assert [found.name for found in folder.iterdir()] == ["demo.sqlite"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"The demo database .*file/demo cannot be written: "):
        make_demo(tmp_path / "file" / "demo")
