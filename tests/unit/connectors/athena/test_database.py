"""Athena against moto's server, which runs no SQL: it gives the results that a test has queued."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aqueduct_provider.connectors import registry, run
from aqueduct_provider.connectors.athena.database import AthenaDatabase, connect
from aqueduct_provider.connectors.athena.system import ATHENA
from aqueduct_provider.connectors.requests import ExtractOrder, SystemOrder
from aqueduct_provider.connectors.sql.query import statement
from aqueduct_provider.connectors.tables.model import Batches, TableLoad, TableName
from aqueduct_provider.errors import (
    ConfigError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    LoadRefused,
    StatementRefused,
)
from tests.support.fault_proxy import FaultProxy, Rule
from tests.unit.storage.conftest import Answer, Scripted, answer, scripted  # noqa: F401


@dataclass(frozen=True)
class Moto:
    """Athena of a moto server."""

    url: str
    config: dict[str, Any]

    def client(self) -> Any:
        return boto3.client(
            "athena",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="id",
            aws_secret_access_key="secret",
        )

    def queue(self, columns: Sequence[tuple[Any, ...]], *rows: Sequence[str | None]) -> None:
        """The next result; columns are a name, a type, and for decimals precision and scale."""
        names = [column[0] for column in columns]
        body = {
            "region": "us-east-1",
            "results": [
                {"rows": [_row(row) for row in (names, *rows)], "column_info": list(map(_info, columns))}
            ],
        }
        address = f"{self.url}/moto-api/static/athena/query-results"
        urllib.request.urlopen(urllib.request.Request(address, json.dumps(body).encode())).close()

    def last(self) -> dict[str, Any]:
        """The last query that was started."""
        with closing(self.client()) as client:
            found = client.list_query_executions()["QueryExecutionIds"]
            executions = [
                client.get_query_execution(QueryExecutionId=name)["QueryExecution"] for name in found
            ]
        return max(executions, key=lambda execution: execution["Status"]["SubmissionDateTime"])


def _row(values: Sequence[str | None]) -> dict[str, Any]:
    return {"Data": [{} if value is None else {"VarCharValue": value} for value in values]}


def _info(column: tuple[Any, ...]) -> dict[str, Any]:
    name, kind, precision, scale = (*column, 0, 0)[:4]
    facts = {"CatalogName": "hive", "SchemaName": "", "TableName": "", "Nullable": "UNKNOWN"}
    numbers = {"Precision": precision, "Scale": scale, "CaseSensitive": False}
    return {**facts, "Name": name, "Label": name, "Type": kind, **numbers}


@pytest.fixture
def moto(s3_server: str, bucket: str) -> Moto:
    keys = {"type": "access_key", "access_key_id": "id", "secret_access_key": "secret"}
    place = {"database": "sales", "output_location": f"s3://{bucket}/results/", "region": "us-east-1"}
    return Moto(s3_server, {**keys, **place, "endpoint_url": s3_server})


@pytest.fixture
def database(moto: Moto) -> Iterator[AthenaDatabase]:
    with closing(registry.connect("Athena", moto.config)) as opened:
        yield opened


def read(database: AthenaDatabase, *queries: str, parameters: Sequence[str] = ()) -> pa.Table:
    with database.read(statement(queries, parameters, {}, ATHENA)) as data:
        return pa.Table.from_batches(data.batches, data.schema)


def test_a_query(database: AthenaDatabase, moto: Moto) -> None:
    moto.queue(
        [("n", "bigint"), ("price", "decimal", 10, 2), ("at", "timestamp with time zone"), ("s", "varchar")],
        ["1", "1.10", "2026-11-22 01:02:03.004 UTC", "x, y"],
        [None, None, None, None],
        ["2", "-0.05", "2026-11-22 01:02:03.004 Europe/Warsaw", ""],
    )
    table = read(database, "SELECT * FROM t")
    assert table.schema.types == [pa.int64(), pa.decimal128(10, 2), pa.timestamp("us", "UTC"), pa.string()]
    moment = datetime(2026, 11, 22, 1, 2, 3, 4000, timezone.utc)
    assert table.to_pydict() == {
        "n": [1, None, 2],
        "price": [Decimal("1.10"), None, Decimal("-0.05")],
        "at": [moment, None, moment.replace(hour=0)],
        "s": ["x, y", None, ""],
    }
    last = moto.last()
    assert last["Query"] == "SELECT * FROM t"
    assert last["QueryExecutionContext"]["Database"] == "sales"
    assert last["ResultConfiguration"]["OutputLocation"].startswith(moto.config["output_location"])


def test_a_task_waits_for_the_bucket_of_the_results(moto: Moto, faults: FaultProxy, tmp_path: Path) -> None:
    moto.queue([("n", "bigint")], ["1"])
    # More than requests without patience are repeated.
    faults.rules = [Rule("503", "GET", "/results/", times=7)]
    system = SystemOrder("Athena", {**moto.config, "endpoint_url": faults.url})
    run.extract(ExtractOrder(system, "out", queries=("SELECT 1 AS n",), patience=120.0), tmp_path)
    assert pq.read_table(tmp_path / "out").to_pydict() == {"n": [1]}
    assert faults.counts["503"] == 7


def test_no_rows(database: AthenaDatabase, moto: Moto) -> None:
    moto.queue([("n", "integer"), ("n", "date")])
    table = read(database, "SELECT 1 AS n, current_date AS n WHERE false")
    assert (table.num_rows, table.schema.names) == (0, ["n", "n"])
    assert table.schema.types == [pa.int32(), pa.date32()]


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("x'; DROP TABLE t; --", "'x''; DROP TABLE t; --'"),
        ("''", "''''''"),
        ("\\", "'\\'"),
        ("?", "'?'"),
        ("current_date", "'current_date'"),
        ("ünï\n%s", "'ünï\n%s'"),
        ("5", "5"),
        ("-0.5", "-0.5"),
        ("007", "'007'"),
        ("", "''"),
    ],
)
def test_values_are_execution_parameters(
    database: AthenaDatabase, moto: Moto, value: str, literal: str
) -> None:
    moto.queue([("n", "integer")])
    read(database, "SELECT n FROM t WHERE a = $1 AND b LIKE '100%'", parameters=[value])
    last = moto.last()
    assert last["Query"] == "SELECT n FROM t WHERE a = ? AND b LIKE '100%'"
    assert last["ExecutionParameters"] == [literal]


def test_a_chain_with_values(database: AthenaDatabase, moto: Moto) -> None:
    moto.queue([("n", "integer")], ["1"])
    table = read(
        database, "SELECT * FROM $1 WHERE a = $2", "SELECT n FROM $ LIMIT $3", parameters=["s.t", "x", "5"]
    )
    assert table.to_pydict() == {"n": [1]}
    last = moto.last()
    assert '"s"."t"' in last["Query"]
    assert last["ExecutionParameters"] == ["'x'", "5"]


def test_a_value_that_is_too_long(database: AthenaDatabase) -> None:
    with pytest.raises(StatementRefused, match=r"A parameter has 1025 characters.*Athena takes 1024"):
        read(database, "SELECT $1", parameters=["x" * 1023])


def test_check_and_tables(database: AthenaDatabase, moto: Moto) -> None:
    moto.queue([("_col0", "integer")], ["1"])
    assert database.check() == "Athena 'sales' answers."
    moto.queue([("table_name", "varchar")], ["a"], ["b"])
    assert database.tables() == ["a", "b"]
    assert moto.last()["ExecutionParameters"] == ["'sales'"]


def test_it_is_only_read(database: AthenaDatabase) -> None:
    load = TableLoad(TableName("", "t"), "append", "a" * 64, "d" * 64, "run")
    with pytest.raises(LoadRefused, match="'sales' is only read: t cannot be written"):
        database.write(Batches(pa.schema([]), iter([])), load)


# --- configurations


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"database": ""}, "lacks database"),
        ({"database": None, "output_location": ""}, "lacks database and output_location"),
        ({"output_location": "/results"}, "output_location is where"),
        (
            {"secret_access_key": ""},
            "The Athena connector of type access_key .*: secret_access_key is missing",
        ),
        (
            {"type": "config_file_path"},
            "Athena connector of type config_file_path .*config_file_path is missing",
        ),
        ({"type": "other"}, "Athena connector has type 'other'"),
    ],
)
def test_configurations_that_cannot_be_used(moto: Moto, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        connect("Athena", {**moto.config, **changes})


@pytest.mark.parametrize("kind", ["config_file_path", "config_file_content"])
def test_profiles(moto: Moto, kind: str, tmp_path: Any) -> None:
    profile = (
        "[work]\naws_access_key_id = id\naws_secret_access_key = secret\nregion = us-east-1\n"
        f"endpoint_url = {moto.url}\n"
    )
    (tmp_path / "credentials").write_text(profile)
    given = {"config_file_path": str(tmp_path / "credentials"), "config_file_content": profile}
    place = {name: moto.config[name] for name in ("database", "output_location")}
    moto.queue([("n", "integer")], ["7"])
    config = {**place, "type": kind, kind: given[kind], "config_file_profile": "work"}
    with closing(connect("Athena", config)) as database:
        assert read(database, "SELECT 7 AS n").to_pydict() == {"n": [7]}


def test_the_credentials_of_the_machine(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**moto.config, "access_key_id": "", "secret_access_key": ""}
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    moto.queue([("n", "integer")], ["7"])
    with closing(connect("Athena", config)) as database:
        assert read(database, "SELECT 7 AS n").to_pydict() == {"n": [7]}
    with pytest.raises(ConfigError, match="lacks region"):
        connect("Athena", {**config, "region": ""})


def test_a_profile_that_is_not_there(moto: Moto) -> None:
    config = {**moto.config, "type": "config_file_content", "config_file_content": "[a]\nregion = x\n"}
    with pytest.raises(DataSystemLoginFailed, match="has no profile 'default'"):
        connect("Athena", config)


# --- what moto does not do


def scripted_database(server: Scripted) -> AthenaDatabase:
    keys = {"access_key_id": "id", "secret_access_key": "planted-secret", "region": "us-east-1"}
    place = {"database": "sales", "output_location": "s3://bucket/results", "endpoint_url": server.url}
    return connect("Athena", {**keys, **place})


def told(body: dict[str, Any], status: int = 200) -> Answer:
    return answer(status, json.dumps(body).encode(), Content_Type="application/x-amz-json-1.1")


def failed(**error: Any) -> list[Answer]:
    """The answers for a query that fails."""
    reason = {"State": "FAILED", "StateChangeReason": "SYNTAX_ERROR: line 1:8", "AthenaError": error}
    execution = {"QueryExecutionId": "q", "Query": "SELECT", "Status": reason}
    return [told({"QueryExecutionId": "q"}), told({"QueryExecution": execution})]


def test_a_query_that_fails(scripted: Scripted) -> None:  # noqa: F811
    scripted.answers = failed(ErrorCategory=2, Retryable=False)
    with closing(scripted_database(scripted)) as database:
        with pytest.raises(StatementRefused, match="'sales' refuses the query: SYNTAX_ERROR: line 1:8"):
            read(database, "SELECT")
        scripted.answers = [*failed(ErrorCategory=2), told({"__type": "ThrottlingException"}, 400)]
        with pytest.raises(StatementRefused, match="SYNTAX_ERROR"):
            read(database, "SELECT")
        scripted.answers = failed(ErrorCategory=1, Retryable=True)
        with pytest.raises(DataSystemUnavailable, match="does not answer as it should: SYNTAX_ERROR"):
            read(database, "SELECT")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("UnrecognizedClientException", 400, DataSystemLoginFailed),
        ("AccessDeniedException", 400, DataSystemLoginFailed),
        ("InvalidRequestException", 400, StatementRefused),
    ],
)
def test_refusals(scripted: Scripted, code: str, status: int, kind: type[Exception]) -> None:  # noqa: F811
    scripted.answers = [told({"__type": code, "message": "not so"}, status)]
    with (
        closing(scripted_database(scripted)) as database,
        pytest.raises(kind, match=f"'sales' refuses.*{code}.*not so") as caught,
    ):
        database.check()
    assert "planted" not in str(caught.value)


def test_a_result_that_may_not_be_fetched(database: AthenaDatabase, moto: Moto, s3_client: Any) -> None:
    moto.queue([("n", "integer")], ["7"])
    database._fetch = lambda location, path: (  # type: ignore[method-assign]
        AthenaDatabase._fetch(database, location.replace("s3://", "s3://no-"), path)
    )
    with pytest.raises(StatementRefused, match=r"bucket 'no-bucket.*' does not exist"):
        read(database, "SELECT")


def test_what_show_gives_is_no_csv(scripted: Scripted) -> None:  # noqa: F811
    location = {"OutputLocation": "s3://bucket/results/q.txt"}
    facts = {"QueryExecutionId": "q", "Query": "SHOW TABLES", "Status": {"State": "SUCCEEDED"}}
    execution = {**facts, "ResultConfiguration": location}
    columns = {"ColumnInfo": [_info(("tab_name", "string"))]}
    rows = {"Rows": [_row(["a"]), _row(["b"])], "ResultSetMetadata": columns}
    scripted.answers = [
        told({"QueryExecutionId": "q"}),
        told({"QueryExecution": execution}),
        told({"ResultSet": rows, "UpdateCount": 0}),
    ]
    with closing(scripted_database(scripted)) as database:
        assert read(database, "SHOW TABLES").to_pydict() == {"tab_name": ["a", "b"]}


def test_options_and_temporary_keys_reach_athena(moto: Moto) -> None:
    with closing(moto.client()) as client:
        client.create_work_group(Name="research", Configuration={})
    config = {**moto.config, "session_token": "planted-token", "options": {"work_group": "research"}}
    with closing(
        connect("Athena", {**config, "options": {**config["options"], "poll_interval": "0.1"}})
    ) as opened:
        moto.queue([("_col0", "integer")], ["1"])
        opened.check()
        assert opened._settings.session_token == "planted-token"
    with closing(moto.client()) as client:
        assert len(client.list_query_executions(WorkGroup="research")["QueryExecutionIds"]) == 1
    for options, message in (
        ({"workgroup": "x"}, "workgroup is unknown, did you mean 'work_group'"),
        ({"poll_interval": "often"}, "poll_interval must be seconds"),
        ({"role_arn": "x"}, "role_arn cannot be used"),
    ):
        with pytest.raises(ConfigError, match=message):
            connect("Athena", {**moto.config, "options": options})


def test_a_profile_of_the_workers_usual_files(
    moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config"
    file.write_text(
        "[profile p]\naws_access_key_id = id\naws_secret_access_key = secret\nregion = us-east-1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    config = {"type": "access_key", "config_file_profile": "p", "region": ""}
    place = {name: moto.config[name] for name in ("database", "output_location", "endpoint_url")}
    with closing(connect("Athena", {**place, **config})) as opened:
        moto.queue([("_col0", "integer")], ["1"])
        opened.check()
