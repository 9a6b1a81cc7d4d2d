"""What is published, read from a store that is a real folder."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from aqueduct_provider.errors import DigestMismatch, IntegrityError, NotFound, SpecError
from aqueduct_provider.sdk.publishing.flow_names import dag_id_of, flow_id_of
from aqueduct_provider.sdk.publishing.registry import FlowRecord, Registry
from aqueduct_provider.sdk.publishing.upload import publish
from aqueduct_provider.state.exec_state import ExecState, Status
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout, published, retired
from tests.support.example_specs import SHA256, VERSION_ID
from tests.support.observed_stores import CountingStore
from tests.unit.sdk.publications import Folder, composition


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    return CountingStore(tmp_path / "store")


@pytest.fixture
def registry(store: CountingStore) -> Registry:
    return Registry(store)


def a_record(name: str = "churn", **changes: Any) -> FlowRecord:
    made = FlowRecord(
        flow_id=flow_id_of(name),
        name=name,
        dag_id=dag_id_of(name),
        version_id=VERSION_ID,
        created_at=datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=1))),
        engine="airflow",
        delivered_to="s3://bucket/specs/churn.json",
        spec_sha256=SHA256,
    )
    return replace(made, **changes)


# --- records


def test_a_record_is_read_as_it_was_written(registry: Registry) -> None:
    record = a_record("grün & blau")
    registry.put(record)
    assert registry.at(record.dag_id) == record
    assert registry.records() == [record]


def test_fields_of_later_releases_are_ignored() -> None:
    document = {**json.loads(a_record().to_json()), "owner": {"team": "ml"}}
    assert FlowRecord.from_json(json.dumps(document).encode()) == a_record()


def test_where_nothing_is_published(registry: Registry) -> None:
    assert registry.records() == []
    assert registry.at("churn") is None
    with pytest.raises(NotFound, match=r"No flow 'churn' in file://.*published"):
        registry.find("churn")


def test_a_removed_record_is_gone_and_may_be_removed_again(registry: Registry) -> None:
    registry.put(a_record())
    registry.remove(a_record())
    registry.remove(a_record())
    assert registry.records() == []


def test_a_retired_flow_is_found_where_a_retired_one_will_do(registry: Registry) -> None:
    record = a_record("Churn of März")
    registry.put(record)
    registry.put(a_record("other"))
    gone = registry.retire(record, record.created_at)
    assert gone == replace(record, retired_at=record.created_at)
    assert [one.name for one in registry.records()] == ["other"]
    assert registry.retired() == [gone]
    assert (registry.at(record.dag_id), registry.retired_at(record.dag_id)) == (None, gone)
    for wanted in (record.name, record.dag_id, record.flow_id):
        assert registry.find(wanted, retired=True) == gone
    with pytest.raises(NotFound, match=r"It was deleted on 2026-01-31\. Publish it again first\.$"):
        registry.find(record.name)
    with pytest.raises(NotFound, match="Did you mean 'Churn of März'"):
        registry.find("Churn of Märs", retired=True)
    registry.forget(gone)
    assert registry.retired() == []


def test_a_live_flow_goes_before_a_retired_one(registry: Registry) -> None:
    registry.retire(a_record(), a_record().created_at)
    registry.put(a_record())
    assert registry.find("churn", retired=True) == a_record()
    assert registry.retired() == [], "it was just published again"


def test_a_retired_flow_is_found_by_its_name_in_two_requests(
    registry: Registry, store: CountingStore
) -> None:
    registry.put(a_record("other"))
    registry.retire(a_record(), a_record().created_at)
    store.clear()
    registry.find("churn", retired=True)
    assert store.requests == [("get", published("churn")), ("get", retired("churn"))]


def test_a_damaged_record_of_a_retired_flow_is_named(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.store.put(retired("churn"), b"{}")
    with caplog.at_level(logging.WARNING):
        assert registry.retired() == []
    assert "retired/churn.json is not a valid record of a published flow" in caplog.text


def damaged(**changes: Any) -> bytes:
    return json.dumps({**json.loads(a_record().to_json()), **changes}).encode()


DAMAGED = [
    b"",
    b"\xff\xfe",
    b"[]",
    b"[" * 100_000,
    damaged(name=None),
    damaged(flow_id="../../other"),
    damaged(version_id="1"),
    damaged(created_at="yesterday"),
    damaged(created_at="2026-01-31T12:00:00"),
    damaged(dag_id="other"),
    damaged(flow_id=flow_id_of("victim")),
    damaged(name="Churn"),
    damaged(name="victim", flow_id=flow_id_of("victim")),
]


@pytest.mark.parametrize("data", DAMAGED)
def test_a_damaged_record_is_named_and_hides_no_other(
    registry: Registry, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    other = a_record("other")
    registry.put(other)
    registry.store.put(published("churn"), data)

    with caplog.at_level(logging.WARNING):
        assert registry.records() == [other]

    assert "published/churn.json is not a valid record of a published flow" in caplog.text
    assert registry.find("other") == other
    with pytest.raises(IntegrityError, match=r"published/churn\.json"):
        registry.find("churn")


def test_records_that_are_deleted_while_they_are_read_are_no_error(registry: Registry) -> None:
    registry.put(a_record())
    registry.store.list = lambda prefix: iter([published("churn"), published("gone")])  # type: ignore[method-assign]
    assert registry.records() == [a_record()]


# --- find


@pytest.mark.parametrize("name", ["churn", "Churn of März, weekly"])
def test_a_name_is_found_in_one_request(registry: Registry, store: CountingStore, name: str) -> None:
    for other in (name, "a", "b", "c"):
        registry.put(a_record(other))
    store.clear()
    assert registry.find(name).name == name
    assert store.requests == [("get", published(dag_id_of(name)))]


def test_dag_ids_and_flow_ids_are_found_too(registry: Registry) -> None:
    record = a_record("Churn of März")
    registry.put(record)
    registry.put(a_record("other"))
    flow_id = UUID(record.flow_id)
    assert registry.find(record.dag_id) == record
    assert registry.find(flow_id) == record
    assert registry.find(str(flow_id).upper()) == record
    assert registry.find(flow_id.hex) == record


@pytest.mark.parametrize("wanted", ["chrun", "../churn", "", "churn/x\0"])
def test_what_is_not_there_is_told_with_what_is(registry: Registry, wanted: str) -> None:
    registry.put(a_record("churn"))
    with pytest.raises(NotFound, match="'churn'"):
        registry.find(wanted)


def test_what_is_not_found_may_be_in_a_damaged_record(registry: Registry) -> None:
    registry.put(a_record("churn"))
    registry.store.put(published("broken"), b"{}")
    with pytest.raises(NotFound, match=r"published/broken\.json"):
        registry.find(uuid4())


# --- versions


def test_versions_and_their_specs(registry: Registry, store: CountingStore) -> None:
    first, second = composition("churn"), composition("churn", description="better")
    for made in (first, second):
        record = publish(made, store, Folder(), "airflow")
    flow_id = record.flow_id

    assert registry.latest_spec(record) == second.spec
    assert registry.spec(flow_id, str(first.spec.version.id)) == first.spec
    assert store.get(FlowLayout(flow_id).version(str(first.spec.version.id))) == first.text


def test_versions_are_counted_in_a_few_requests(
    registry: Registry, store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow_id = a_record().flow_id
    assert registry.next_number(flow_id) == 1
    for _ in range(3):
        store.put(FlowLayout(flow_id).version(str(uuid4())), b"{}")
    store.clear()
    assert registry.next_number(flow_id) == 4
    assert [kind for kind, _ in store.requests] == ["list"]
    monkeypatch.setattr("aqueduct_provider.sdk.publishing.registry._MOST_COUNTED", 3)
    assert registry.next_number(flow_id) is None


def test_a_spec_is_read_once(registry: Registry, store: CountingStore) -> None:
    record = publish(composition("churn"), store, Folder(), "airflow")
    store.clear()
    specs = [
        registry.spec(record.flow_id, record.version_id),
        registry.spec(record.flow_id, record.version_id),
        registry.latest_spec(record),
    ]
    assert specs[0] is specs[1]
    assert specs[0] is specs[2]
    assert len(store.requests) == 1


def test_a_version_that_is_not_there_is_told(registry: Registry, store: CountingStore) -> None:
    record = publish(composition("churn"), store, Folder(), "airflow")
    with pytest.raises(NotFound, match=f"Version {VERSION_ID} of the flow {record.flow_id} is missing"):
        registry.spec(record.flow_id, VERSION_ID)


def test_a_damaged_version_is_named(registry: Registry) -> None:
    record = a_record()
    registry.store.put(FlowLayout(record.flow_id).version(VERSION_ID), b'{"spec_version": 2}')
    with pytest.raises(SpecError, match=f"{VERSION_ID}.json has 1 problem"):
        registry.spec(record.flow_id, VERSION_ID)


def test_a_version_that_was_changed_is_not_the_latest(registry: Registry, store: CountingStore) -> None:
    record = publish(composition("churn"), store, Folder(), "airflow")
    with pytest.raises(DigestMismatch, match="Publish the flow again"):
        registry.latest_spec(replace(record, spec_sha256=SHA256))


# --- the version of a run

RUN = "manual__2026-01-01T00:00:00+00:00"


def leave(registry: Registry, operator: str, data: bytes) -> None:
    registry.store.put(NativeLayout(a_record().flow_id, RUN).exec_state(operator), data)


def test_a_run_tells_which_version_it_used(registry: Registry, store: CountingStore) -> None:
    for operator in ("a", "b", "c"):
        leave(registry, operator, ExecState(Status.SUCCEEDED, version=VERSION_ID).to_json())
    store.clear()
    assert registry.version_of_run(a_record().flow_id, RUN) == VERSION_ID
    assert [kind for kind, _ in store.requests] == ["list", "get"]
    assert registry.version_of_run(a_record().flow_id, f"{RUN}1") is None


@pytest.mark.parametrize(
    "data",
    [
        ExecState(Status.SUCCEEDED).to_json(),
        *(ExecState(Status.SUCCEEDED, version=name).to_json() for name in ("../../x", "\ud800", "")),
        b"{",
        b"[]",
    ],
)
def test_a_run_that_does_not_tell(registry: Registry, data: bytes) -> None:
    leave(registry, "a", data)
    assert registry.version_of_run(a_record().flow_id, RUN) == ""
