"""The options of BigQuery's connections: the server sees what they say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aqueduct_provider import errors
from aqueduct_provider.connectors.bigquery.database import connect
from aqueduct_provider.connectors.tables.model import TableLoad, TableName
from tests.data_servers.bigquery import BigQueryServer, Table, bigquery_server
from tests.support.arrow_tables import batches, numbers, read


@pytest.fixture
def server() -> Iterator[BigQueryServer]:
    with bigquery_server() as running:
        yield running


def test_labels_and_location_are_those_of_every_job(server: BigQueryServer) -> None:
    options = {"labels": '{"team": "sales"}', "location": "EU", "priority": "batch"}
    with closing(
        connect("BigQuery", {**server.config(), "options": {**server.config()["options"], **options}})
    ) as it:
        server.answers["SELECT 1 AS n"] = Table(
            [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}], [{"n": 1}]
        )
        read(it, "SELECT 1 AS n")
        it.write(
            batches(numbers(1)), TableLoad(TableName("sales", "t"), "replace", "a" * 64, "d" * 64, "run 1")
        )
    jobs = [job["configuration"] for job in server.jobs.values()]
    assert len(jobs) == 2
    assert all(job["labels"]["team"] == "sales" for job in jobs)
    assert [job["query"]["priority"] for job in jobs if "query" in job] == ["BATCH"]
    assert it.client.location == "EU"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": "team"}, "labels must be a JSON object"),
        ({"labels": "[" * 100_000}, "labels must be a JSON object"),
        ({"impersonation_chian": "x"}, "impersonation_chian is unknown, did you mean 'impersonation_chain'"),
        ({"use_legacy_sql": "true"}, "use_legacy_sql cannot be used: write the query in GoogleSQL"),
    ],
)
def test_options_that_cannot_be_used(server: BigQueryServer, options: dict[str, str], message: str) -> None:
    with pytest.raises(errors.ConfigError, match=message):
        connect("BigQuery", {**server.config(), "options": options})


def test_retries_are_counted(server: BigQueryServer) -> None:
    server.fault = lambda method, path: (503, {}) if path.endswith("/datasets") else None
    options = {**server.config()["options"], "num_retries": "0"}
    with (
        closing(connect("BigQuery", {**server.config(), "options": options})) as database,
        pytest.raises(errors.DataSystemUnavailable),
    ):
        database.check()
    assert sum(path.endswith("/datasets") for _, path in server.requests) == 1


def test_without_a_key_the_machine_is_asked(
    server: BigQueryServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = {**server.config(), "service_account_credentials": ""}
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "gone"))
    with pytest.raises(errors.DataSystemLoginFailed, match="no application default credentials"):
        connect("BigQuery", config)
    (tmp_path / "key").write_text(server.config()["service_account_credentials"])
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key"))
    with closing(connect("BigQuery", config)) as database:
        assert "answers" in database.check()


def test_another_account_is_impersonated(server: BigQueryServer) -> None:
    from google.auth.impersonated_credentials import Credentials

    options = {**server.config()["options"], "impersonation_chain": "a@x,b@x", "quota_project_id": "q"}
    with closing(connect("BigQuery", {**server.config(), "options": options})) as database:
        found = database.client._credentials
    assert isinstance(found, Credentials)
    assert (found._target_principal, found._delegates) == ("b@x", ["a@x"])
    assert found.quota_project_id == "q"
