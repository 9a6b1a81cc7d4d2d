"""Names that another program takes while a load runs, or in another schema of the search path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider import errors
from aqueduct_provider.connectors.redshift.database import RedshiftDatabase
from aqueduct_provider.connectors.tables.model import Batches, TableLoad, TableName
from tests.data_servers.redshift import RedshiftServer
from tests.support.arrow_tables import batches


def load(name: str, schema: str, mode: Any, key: str = "a") -> TableLoad:
    return TableLoad(TableName(schema, name), mode, key * 64, "d1", "run 1")


@pytest.mark.parametrize("mode", ["append", "fail"])
def test_a_table_that_was_created_meanwhile_is_not_dropped(
    server: RedshiftServer, database: RedshiftDatabase, schema: str, mode: str
) -> None:
    def arriving() -> Iterator[pa.RecordBatch]:
        server.postgres.run(f'CREATE TABLE "{schema}".t AS SELECT 1::bigint AS n')
        yield from pa.table({"n": [7]}).to_batches()

    exists = database.exists
    # Found missing, as if it had been created after the look.
    database.exists = lambda table: False  # type: ignore[method-assign]
    kind = errors.LoadRefused if mode == "fail" else errors.DataSystemUnavailable
    with pytest.raises(kind, match=r"exists already|Another program created the table"):
        database.write(Batches(pa.schema({"n": pa.int64()}), arriving()), load("t", schema, mode))
    database.exists = exists  # type: ignore[method-assign]
    assert server.postgres.run(f'SELECT n FROM "{schema}".t') == [(1,)]
    if mode == "append":
        assert database.write(batches(pa.table({"n": [7]})), load("t", schema, mode)) == 1
        assert server.postgres.run(f'SELECT n FROM "{schema}".t ORDER BY n') == [(1,), (7,)]


def test_a_table_behind_the_first_schema_of_the_search_path_stays_there(
    server: RedshiftServer, database: RedshiftDatabase, schema: str
) -> None:
    server.postgres.run("CREATE TABLE public.behind AS SELECT 1::bigint AS n")
    database.run(f'SET search_path TO "{schema}", public')
    database._connection.commit()
    data = pa.table({"n": [7]})
    for mode, key in (("append", "a"), ("replace", "b")):
        database.write(batches(data), load("behind", "", mode, key))
        ((count,),) = server.postgres.run("SELECT count(*) FROM public.behind")
        assert count == (2 if mode == "append" else 1)
    server.postgres.run("DROP TABLE public.behind")
