"""The demo database: the original's tables, in a small SQLite file that is the same on every machine.

Its rows are made up here. It is made on first use, and an existing file stays as it is.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.profile import ResourceProfile
from aqueduct_provider.sdk.resources.profile_file import VARIABLE

DEMO = "Demo"
# The Airflow connection by which runs reach an admin's copy of it.
DEMO_CONNECTION = "aqueduct_demo"
# The second is what the original called it in its earlier releases.
DEMO_NAMES = (DEMO, "aqueduct_demo")
_FILE = "demo.sqlite"


def demo_profile(folder: Path) -> ResourceProfile:
    """Return the demo database as a resource; make it in this folder on first use.

    :raises ConfigError: the file cannot be written.
    """
    path = folder / _FILE
    if not path.exists():
        make_demo(path)
    return ResourceProfile(DEMO, "SQLite", {"database": str(path), "connection_id": DEMO_CONNECTION})


def make_demo(path: Path) -> None:
    """Write the demo database: all of it, or nothing.

    :raises ConfigError: the file cannot be written.
    """
    from aqueduct_provider.sdk.resources.demo_tables import TABLES, made
    from aqueduct_provider.storage.files import replacing

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path) as file, closing(sqlite3.connect(file.name)) as database:
            # SQLite has locks of its own, which on some systems this one excludes.
            fcntl.flock(file, fcntl.LOCK_UN)
            # One transaction, and no journal next to a file that is going to be renamed.
            database.execute("PRAGMA journal_mode = MEMORY")
            with database:
                for name, columns in TABLES.items():
                    _fill(database, name, columns, made(name))
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(
            f"The demo database {path} cannot be written: {getattr(error, 'strerror', None) or error}. Check"
            " the permissions of its folder. The SDK's own copy is next to the configuration file, which"
            f" {VARIABLE} names."
        ) from error


def _fill(database: sqlite3.Connection, name: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    database.execute(f"CREATE TABLE {name} ({columns})")
    places = ", ".join("?" for _ in columns.split(","))
    database.executemany(f"INSERT INTO {name} VALUES ({places})", rows)
