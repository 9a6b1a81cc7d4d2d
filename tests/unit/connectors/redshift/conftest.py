"""Amazon's driver before a real PostgreSQL, for every test of the folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from aqueduct_provider.connectors.redshift.database import RedshiftDatabase, connect
from tests.data_servers.redshift import RedshiftServer, redshift_server


@pytest.fixture(scope="package")
def server() -> Iterator[RedshiftServer]:
    with redshift_server() as running:
        yield running


@pytest.fixture
def schema(server: RedshiftServer) -> Iterator[str]:
    """A new schema, for the tables of one test."""
    server.postgres.run('CREATE SCHEMA "Test s"')
    yield "Test s"
    server.postgres.run('DROP SCHEMA "Test s" CASCADE')


@pytest.fixture
def database(server: RedshiftServer) -> Iterator[RedshiftDatabase]:
    with closing(connect("Redshift", server.config())) as opened:
        yield opened
