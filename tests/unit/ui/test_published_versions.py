from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import StorageUnavailable
from aqueduct_provider.sdk.publishing.flow_names import dag_id_of, flow_id_of
from aqueduct_provider.spec.dag_facts import DagFacts, FlowFacts
from aqueduct_provider.storage.layout import published
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.ui import published_versions, reading
from aqueduct_provider.ui.flows_page import flows_page
from aqueduct_provider.ui.published_versions import freshness_of
from aqueduct_provider.ui.reading import record_of
from tests.support.airflow_rows import AirflowRows
from tests.support.example_specs import VERSION_ID
from tests.support.flow_rows import add_churn

AT = {"connection_id": "aqueduct_default"}


def facts(name: str, **options: Any) -> DagFacts:
    own: dict[str, Any] = {"id": flow_id_of(name), "name": name, "dialect": "native", "version": VERSION_ID}
    return DagFacts(FlowFacts(**{**own, "store": AT, **options}), {})


def publish(store: LocalStore, name: str, version: str = VERSION_ID) -> None:
    """Write the record of a flow."""
    record = replace(record_of(dag_id_of(name), facts(name)), version_id=version)
    store.put(published(record.dag_id), record.to_json())


@pytest.fixture(autouse=True)
def _no_store_is_paused() -> Iterator[None]:
    """Forget the stores that did not answer in a test."""
    yield
    published_versions._paused.clear()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    made = LocalStore(tmp_path)
    monkeypatch.setattr(reading, "page_store", lambda *_: made)
    return made


def test_a_flow_whose_newest_version_airflow_does_not_show_is_stale(visit: Any, store: LocalStore) -> None:
    publish(store, "churn")
    publish(store, "sales", str(uuid.uuid4()))
    store.put(published("damaged"), b"{")
    flows = {name: facts(name) for name in ("churn", "sales", "damaged", "never")}
    assert freshness_of(visit(), flows) == {"churn": "current", "sales": "stale"}


def test_nothing_is_claimed_of_stores_that_are_not_read(visit: Any, store: LocalStore) -> None:
    publish(store, "churn")
    for options in ({"store": None}, {"store": {"bucket": "b"}}, {"dialect": "compiled"}):
        assert freshness_of(visit(), {"churn": facts("churn", **options)}) == {}
    # Another flow's record of the same DAG id.
    assert freshness_of(visit(), {"churn": facts("churn", id=str(uuid.uuid4()))}) == {}


def test_a_store_that_is_away_is_asked_once_and_hides_no_flow(
    visit: Any, rows: AirflowRows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    class Away(LocalStore):
        def get(self, key: str) -> bytes:
            asked.append(key)
            raise StorageUnavailable("S3 does not answer.")

    monkeypatch.setattr(reading, "page_store", lambda *_: Away(tmp_path))
    names = [f"flow_{number}" for number in range(5)]
    assert freshness_of(visit(), {name: facts(name) for name in names}) == {}
    assert len(asked) == 1
    # For a while it is not asked again.
    assert freshness_of(visit(), {name: facts(name) for name in names}) == {}
    assert len(asked) == 1
    published_versions._paused.update(dict.fromkeys(published_versions._paused, 0.0))
    assert freshness_of(visit(), {name: facts(name) for name in names}) == {}
    assert len(asked) == 2
    add_churn(rows, store=AT)
    text = flows_page(visit()).body.decode()
    assert "Churn" in text
    assert "stale" not in text
    assert "current" not in text.replace("aria-current", "")


def test_a_secrets_backend_that_fails_hides_no_flow(
    visit: Any, rows: AirflowRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("the vault is sealed")

    monkeypatch.setattr(reading, "page_store", fail)
    add_churn(rows, store=AT)
    assert "Churn" in flows_page(visit()).body.decode()


def test_the_list_names_stale_flows(visit: Any, rows: AirflowRows, store: LocalStore) -> None:
    add_churn(rows, store=AT, id=flow_id_of("churn"))
    publish(store, "churn")
    text = flows_page(visit()).body.decode()
    assert '<span class="badge current">current</span>' in text
    assert "Stale:" not in text
    publish(store, "churn", str(uuid.uuid4()))
    text = flows_page(visit()).body.decode()
    assert '<span class="badge stale">stale</span>' in text
    assert "Stale: a newer version was published" in text


def test_only_flows_on_the_page_are_read(visit: Any, rows: AirflowRows, store: LocalStore) -> None:
    keys = []
    get = store.get

    def counted(key: str) -> bytes:
        keys.append(key)
        return get(key)

    store.get = counted  # type: ignore[method-assign]
    ids = [f"flow_{number:02}" for number in range(30)]
    for dag_id in ids:
        add_churn(rows, dag_id, name=dag_id, store=AT)
    flows_page(visit(readable=set(ids), query={"page": "2"}))
    assert sorted(keys) == [published(dag_id) for dag_id in ids[25:]]
