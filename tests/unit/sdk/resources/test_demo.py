from __future__ import annotations

import hashlib
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.demo import DEMO, DEMO_CONNECTION, demo_profile, make_demo

# What every machine has. Change it with the rows, and the outputs that docs/tutorial/data-systems.md shows.
DIGEST = "cdbfc3920c4ebd255ed38059ff4ad3aa6800bd9a80aa72755fdd1b5f8c36e3b0"


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def test_the_same_rows_everywhere(tmp_path: Path) -> None:
    make_demo(tmp_path / "demo")
    with closing(sqlite3.connect(tmp_path / "demo")) as database:
        text = "\n".join(database.iterdump())
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST


def test_the_tables(tmp_path: Path) -> None:
    make_demo(tmp_path / "demo")
    names = [name for (name,) in rows(tmp_path / "demo", "SELECT name FROM sqlite_master ORDER BY name")]
    assert names == ["customers", "hotel_reviews", "hotels", "wine"]
    counts = {name: rows(tmp_path / "demo", f"SELECT count(*) FROM {name}")[0][0] for name in names}
    assert counts == {"customers": 120, "hotel_reviews": 400, "hotels": 20, "wine": 200}
    assert (tmp_path / "demo").stat().st_size < 200_000
    for table in ("hotel", "customer"):
        lost = f"SELECT * FROM hotel_reviews WHERE {table}_id NOT IN (SELECT {table}_id FROM {table}s)"
        assert rows(tmp_path / "demo", lost) == []
    assert rows(tmp_path / "demo", "SELECT min(stars), max(stars) FROM hotel_reviews") == [(1, 5)]


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
