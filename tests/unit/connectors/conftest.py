"""The data systems that these tests speak to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.data_servers.mongodb import MongoServer, mongodb_server


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A MongoDB server that wants no login."""
    with mongodb_server(tmp_path_factory.mktemp("mongodb") / "server") as server:
        yield server
