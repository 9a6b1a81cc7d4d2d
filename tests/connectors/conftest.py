"""Every SQL database that runs here, one after the other, for the same tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.connectors.registry import built_in
from aqueduct_provider.connectors.requests import SystemOrder
from tests.connectors.system_jobs import Desk
from tests.connectors.system_servers import RUN_HERE, run_here


@dataclass(frozen=True)
class System:
    """A new, empty database, and another way to look into it.

    :param run: runs one statement, not through the connector; its rows.
    :param is_loading: whether rows are on their way into it just now.
    """

    order: SystemOrder
    run: Callable[[str], Sequence[Any]]
    is_loading: Callable[[], bool]


# Of all that these tests use, only SQLAlchemy is another beside Airflow 2.11, and only one system needs it.
_SYSTEMS = ["MariaDB"] if version("sqlalchemy").startswith("1.") else run_here(built_in())


@pytest.fixture(params=_SYSTEMS)
def system(request: pytest.FixtureRequest, tmp_path: Path) -> System:
    if request.param == "SQLite":
        path = tmp_path / "test.db"

        def run(sql: str) -> list[Any]:
            with closing(sqlite3.connect(path)) as connection, connection:
                return connection.execute(sql).fetchall()

        # The file of a transaction that has written pages.
        journal = path.with_name("test.db-journal")
        return System(SystemOrder("SQLite", {"database": str(path)}), run, journal.exists)
    server = request.getfixturevalue(RUN_HERE[request.param])
    config = server.new_database()

    def at_work() -> bool:
        return bool(server.run(_AT_WORK[request.param].format(config["database"])))

    return System(
        SystemOrder(request.param, config), lambda sql: server.run(sql, database=config["database"]), at_work
    )


_AT_WORK = {
    "Postgres": (
        "SELECT 1 FROM pg_stat_activity WHERE datname = '{}' AND query LIKE 'COPY%' AND state = 'active'"
    ),
    "MariaDB": ("SELECT 1 FROM information_schema.processlist WHERE db = '{}' AND info LIKE 'LOAD DATA%'"),
}


@pytest.fixture
def desk(system: System, tmp_path: Path) -> Desk:
    return Desk(system.order, tmp_path / "job")
