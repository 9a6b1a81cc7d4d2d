from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import ConfigError, NotFound, ObjectTooLarge, StorageError
from aqueduct_provider.spec.dag_facts import DagFacts, FlowFacts
from aqueduct_provider.storage.s3 import S3Store
from aqueduct_provider.ui import reading
from aqueduct_provider.ui.reading import PageSession, published_at, record_of, run_for
from aqueduct_provider.ui.request_reads import MOST, RequestReads
from tests.support.airflow_rows import AirflowRows
from tests.support.example_specs import FLOW_ID, VERSION_ID
from tests.support.played_runs import CONNECTION, connection_to, store_at


def facts(**options: Any) -> DagFacts:
    own: dict[str, Any] = {"id": FLOW_ID, "name": "churn", "dialect": "native", "version": VERSION_ID}
    return DagFacts(FlowFacts(**{**own, **options}), {})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("", None),
        ("nonsense", None),
        ("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=timezone.utc)),
        ("2026-01-01T00:00:00+00:00", datetime(2026, 1, 1, tzinfo=timezone.utc)),
    ],
)
def test_when_a_version_was_published(text: str, moment: datetime | None) -> None:
    assert published_at(facts(created_at=text)) == moment
    assert record_of("churn", facts(created_at=text)).version_id == VERSION_ID


@pytest.mark.parametrize("where", [None, {"bucket": "models", "credentials_path": "/logs/written_by_a_task"}])
def test_a_store_that_the_spec_names_is_not_connected_to(rows: AirflowRows, where: Any) -> None:
    with pytest.raises(ConfigError, match="names its store itself"):
        PageSession(rows.database, facts(store=where), RequestReads()).store  # noqa: B018


def test_the_store_of_a_connection_gives_no_large_object(
    rows: AirflowRows, monkeypatch: pytest.MonkeyPatch, bucket: str, s3_server: str, credentials_file: Path
) -> None:
    (name, value), *_ = connection_to(bucket, s3_server, credentials_file).items()
    monkeypatch.setenv(name, value)
    made = store_at(bucket, s3_server, credentials_file)
    made.put("large", bytes(MOST + 1))
    made.put("small", b"x")
    store = PageSession(rows.database, facts(store={"connection_id": CONNECTION}), RequestReads()).store
    assert store.get("small") == b"x"
    with pytest.raises(ObjectTooLarge, match=r"/large has 8,000,001 bytes; 8,000,000 are read at most"):
        store.get("large")


def test_a_request_reads_a_number_of_bytes_of_all_objects_together(
    rows: AirflowRows, monkeypatch: pytest.MonkeyPatch, bucket: str, s3_server: str, credentials_file: Path
) -> None:
    (name, value), *_ = connection_to(bucket, s3_server, credentials_file).items()
    monkeypatch.setenv(name, value)
    made = store_at(bucket, s3_server, credentials_file)
    for key in ("a", "b", "c"):
        made.put(key, bytes(MOST // 2))
    of_connection, reads = facts(store={"connection_id": CONNECTION}), RequestReads()
    # Those of two runs that are compared.
    first, second = (PageSession(rows.database, of_connection, reads).store for _ in range(2))
    assert len(first.get("a")) + len(second.get("b")) == MOST
    for store in (first, second):
        with pytest.raises(ObjectTooLarge, match="8,000,000 are read at most, and 8,000,000 have been read"):
            store.get("c")
    assert len(PageSession(rows.database, of_connection, RequestReads()).store.get("c")) == MOST // 2


def test_errors_are_masked_with_the_keys_of_the_store(
    rows: AirflowRows, monkeypatch: pytest.MonkeyPatch, bucket: str, s3_server: str, credentials_file: Path
) -> None:
    (name, value), *_ = connection_to(bucket, s3_server, credentials_file).items()
    monkeypatch.setenv(name, value)
    reads = RequestReads()
    store = PageSession(rows.database, facts(store={"connection_id": CONNECTION}), reads).store
    assert isinstance(store, S3Store)
    key_id, secret, *_ = store.secrets()
    shown = reads.problem(StorageError(f"The request of {key_id} with {secret} was refused."))
    assert shown == "The request of *** with *** was refused."


def test_a_run(rows: AirflowRows) -> None:
    with pytest.raises(NotFound, match="no run 'x'"):
        run_for(rows.database, "churn", "x", facts(), RequestReads())
    rows.run("churn", "x", state="failed")
    run = run_for(rows.database, "churn", "x", facts(), RequestReads())
    assert (run.run_id, run.info and run.info.state) == ("x", "failed")
    with pytest.raises(ConfigError, match="original Aqueduct"):
        run_for(rows.database, "churn", "x", facts(dialect="compiled"), RequestReads())


def test_pages_have_nothing_that_unpickles() -> None:
    folder = Path(reading.__file__).parent
    found = [
        path.name
        for path in folder.glob("*.py")
        if re.search(r"import .*(pickle|codecs)|pickle\.|\.get\(trust", path.read_text())
    ]
    assert found == []
