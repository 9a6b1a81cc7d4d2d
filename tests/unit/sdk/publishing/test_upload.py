"""Publishing: what is written, in which order, with how many requests, and what a failure leaves."""

from __future__ import annotations

import hashlib
import logging
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest

from aqueduct_provider.errors import AuthoringError, ConfigError, StorageUnavailable
from aqueduct_provider.sdk.publishing.registry import Registry
from aqueduct_provider.sdk.publishing.upload import erase, publish
from aqueduct_provider.sdk.resources.delivery import StoreDelivery
from aqueduct_provider.storage.layout import (
    FlowLayout,
    NativeLayout,
    delivered_spec,
    function_archive,
    published,
    retired,
)
from tests.support.observed_stores import CountingStore
from tests.unit.sdk.publications import Folder, composition

NOW = datetime.now(timezone.utc)


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    return CountingStore(tmp_path / "store")


def test_a_flow_is_published(store: CountingStore) -> None:
    made, folder = composition("churn"), Folder()

    record = publish(made, store, folder, "airflow")

    version = str(made.spec.version.id)
    assert (record.name, record.dag_id, record.version_id) == ("churn", "churn", version)
    assert record.flow_id == str(made.spec.flow.id)
    assert record.created_at == datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    assert (record.engine, record.delivered_to) == ("airflow", "folder/churn.json")
    assert record.spec_sha256 == hashlib.sha256(made.text).hexdigest()
    assert Registry(store).find("churn") == record
    assert Registry(store).latest_spec(record) == made.spec
    assert folder.specs == {"churn": made.text}
    assert {key: store.get(key) for key in made.objects} == dict(made.objects)


def test_the_spec_is_delivered_when_all_that_it_names_is_there(store: CountingStore) -> None:
    made = composition("churn")
    publish(made, store, StoreDelivery(store), "airflow")
    puts = [key for kind, key in store.requests if kind == "put"]
    version = FlowLayout(str(made.spec.flow.id)).version(str(made.spec.version.id))
    assert set(puts[:3]) == set(made.objects)
    # Once more, for where the spec lies is known when it lies there.
    assert puts[3:] == [version, published("churn"), delivered_spec("churn"), published("churn")]


def test_publishing_it_unchanged_again_costs_few_requests(store: CountingStore) -> None:
    first = publish(composition("churn"), store, Folder(), "airflow")
    store.clear()
    again = publish(composition("churn"), store, Folder(), "airflow")

    layout = FlowLayout(again.flow_id)
    assert again.version_id != first.version_id
    assert store.requests == [
        ("get", published("churn")),
        ("get", layout.version(first.version_id)),
        ("put", layout.version(again.version_id)),
        ("put", published("churn")),
    ]
    assert Registry(store).find("churn") == again


def test_only_what_changed_is_uploaded(store: CountingStore) -> None:
    publish(composition("churn", "f", "g"), store, Folder(), "airflow")
    store.clear()
    changed = composition("churn", "f", "h", default=b"better model")
    publish(changed, store, Folder(), "airflow")
    new = sorted(key for key, data in changed.objects.items() if data != b"archive of f")
    assert len(new) == 2
    assert store.keys("exists") == new
    assert set(new) < set(store.keys("put"))
    assert all(store.exists(key) for key in changed.objects)


def test_a_function_that_another_flow_has_is_uploaded_once(store: CountingStore) -> None:
    publish(composition("churn", "f"), store, Folder(), "airflow")
    store.clear()
    publish(composition("sales", "f"), store, Folder(), "airflow")
    shared = function_archive(hashlib.sha256(b"archive of f").hexdigest())
    assert shared in store.keys("exists")
    assert shared not in store.keys("put")


def test_objects_go_out_together(tmp_path: Path) -> None:
    meeting = threading.Barrier(9, timeout=20)  # Breaks unless all uploads wait in it at once.

    class Meeting(CountingStore):
        def exists(self, key: str) -> bool:
            meeting.wait()
            return super().exists(key)

    publish(composition("churn", *"abcdefgh"), Meeting(tmp_path), Folder(), "airflow")


def test_names_that_share_a_dag_id_collide(store: CountingStore) -> None:
    folder = Folder()
    first = publish(composition("churn 1"), store, folder, "airflow")
    store.clear()
    with pytest.raises(AuthoringError, match=r"'churn 1' and 'churn/1'.*'churn_1'.*another name"):
        publish(composition("churn/1"), store, folder, "airflow")
    assert store.keys("put") == []
    assert Registry(store).find("churn 1") == first


def test_a_dag_id_belongs_to_a_flow_as_long_as_its_runs_are_kept(store: CountingStore) -> None:
    first = publish(composition("churn 1"), store, Folder(), "airflow")
    gone = Registry(store).retire(first, NOW)
    with pytest.raises(AuthoringError, match=r"'churn 1' has left runs there\. .*\(artifacts=True\) first"):
        publish(composition("churn/1"), store, Folder(), "airflow")
    erase(gone, store)
    assert publish(composition("churn/1"), store, Folder(), "airflow").earlier == ()


def test_a_flow_that_was_deleted_goes_on_when_it_is_published_again(store: CountingStore) -> None:
    first = publish(composition("churn"), store, Folder(), "airflow")
    Registry(store).retire(first, NOW)
    made = composition("churn")
    store.clear()
    again = publish(made, store, Folder(), "airflow")
    assert store.keys("exists") == [], "all that it needs is known to be there"
    assert again.retired_at is None
    assert [one.version_id for one in again.versions] == [again.version_id, first.version_id]
    assert Registry(store).find("churn") == again
    assert Registry(store).retired() == []
    assert not store.exists(retired("churn"))


def test_a_refused_delivery_leaves_a_retired_flow_as_it_is(store: CountingStore) -> None:
    gone = Registry(store).retire(publish(composition("churn"), store, Folder(), "airflow"), NOW)
    with pytest.raises(ConfigError):
        publish(composition("churn"), store, Folder(ConfigError("no folder")), "airflow")
    assert (Registry(store).records(), Registry(store).retired()) == ([], [gone])


def test_the_versions_before_are_remembered(store: CountingStore) -> None:
    ids = [publish(composition("churn"), store, Folder(), "airflow").version_id for _ in range(203)]
    record = Registry(store).find("churn")
    # This one, and 200 before it.
    assert [one.version_id for one in record.versions] == ids[:-202:-1]


@pytest.mark.parametrize("data", [None, b"", b'{"spec_version": 2}'])
def test_where_the_previous_version_cannot_be_read_everything_is_looked_for(
    store: CountingStore, data: bytes | None
) -> None:
    first = publish(composition("churn"), store, Folder(), "airflow")
    key = FlowLayout(first.flow_id).version(first.version_id)
    store.delete([key]) if data is None else store.put(key, data)
    store.clear()
    made = composition("churn")
    publish(made, store, Folder(), "airflow")
    assert store.keys("exists") == sorted(made.objects)
    assert len(store.keys("put")) == 2, "version and record"


def test_a_damaged_record_is_mended(store: CountingStore, caplog: pytest.LogCaptureFixture) -> None:
    store.put(published("churn"), b"{}")
    with caplog.at_level(logging.WARNING):
        record = publish(composition("churn"), store, Folder(), "airflow")
    assert Registry(store).find("churn") == record
    assert "published/churn.json" in caplog.text


def test_a_flow_may_move_to_another_engine(store: CountingStore) -> None:
    publish(composition("churn"), store, StoreDelivery(store), "one")
    record = publish(composition("churn"), store, Folder(), "two")
    assert (record.engine, record.delivered_to) == ("two", "folder/churn.json")
    assert Registry(store).find("churn") == record


# --- failures


class Failing(CountingStore):
    """Fails to write keys with a prefix."""

    prefix = "none"

    def put(self, key: str, data: bytes) -> None:
        if key.startswith(self.prefix):
            raise StorageUnavailable("the store is away")
        super().put(key, data)


@pytest.mark.parametrize("prefix", ["functions/", "flows/", "published/"])
def test_a_store_that_fails_leaves_airflow_its_version(tmp_path: Path, prefix: str) -> None:
    store, folder = Failing(tmp_path), Folder()
    first = publish(composition("churn", "f"), store, folder, "airflow")
    before = dict(folder.specs)
    store.prefix = prefix

    with pytest.raises(StorageUnavailable, match=r"^the store is away$"):
        publish(composition("churn", "g"), store, folder, "airflow")

    assert folder.specs == before
    assert Registry(store).find("churn") == first


@pytest.mark.parametrize("error", [AuthoringError("not yours"), ConfigError("no folder")])
def test_a_delivery_that_is_refused_is_no_publication(store: CountingStore, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        publish(composition("churn"), store, Folder(error), "airflow")
    assert Registry(store).records() == []
    first = publish(composition("churn"), store, Folder(), "airflow")
    with pytest.raises(type(error), match=str(error)):
        publish(composition("churn"), store, Folder(error), "airflow")
    assert Registry(store).find("churn") == first


def test_a_delivery_that_failed_is_mended_by_publishing_again(store: CountingStore) -> None:
    made, folder = composition("churn"), Folder(StorageUnavailable("away"))
    with pytest.raises(StorageUnavailable):
        publish(made, store, folder, "airflow")
    assert Registry(store).find("churn").delivered_to == "", "nobody knows whether it is there"
    folder.error = None
    record = publish(made, store, folder, "airflow")
    assert folder.specs == {"churn": made.text}
    assert Registry(store).find("churn") == record


def test_of_two_publishers_at_once_the_last_writer_wins_and_one_more_publication_mends(
    store: CountingStore,
) -> None:
    theirs, ours, folder = composition("churn"), composition("churn"), Folder()

    class Overtaken(Folder):
        def deliver(self, dag_id: str, data: bytes) -> str:
            publish(theirs, store, folder, "airflow")
            return folder.deliver(dag_id, data)

    # So that both know where it is delivered, and write the record only once.
    publish(composition("churn"), store, folder, "airflow")
    publish(ours, store, Overtaken(), "airflow")

    assert folder.specs == {"churn": ours.text}
    record = Registry(store).find("churn")
    assert record.version_id == str(theirs.spec.version.id), "as the docstring of publish says"
    assert Registry(store).latest_spec(record) == theirs.spec
    corrected = composition("churn")
    publish(corrected, store, folder, "airflow")
    assert folder.specs == {"churn": corrected.text}
    assert Registry(store).latest_spec(Registry(store).find("churn")) == corrected.spec


# --- the way back


def test_of_what_is_erased_only_what_flows_share_stays(store: CountingStore) -> None:
    made, other = composition("churn", "f"), composition("sales", "f")
    record = publish(made, store, Folder(), "airflow")
    before = set(store.list("functions/"))
    publish(other, store, Folder(), "airflow")
    store.put(NativeLayout(record.flow_id, "run").content("a"), b"x")
    neighbour = set(store.list(FlowLayout(str(other.spec.flow.id)).prefix))
    assert neighbour
    gone = Registry(store).retire(record, NOW)

    for _ in range(2):
        erase(gone, store)

    assert list(store.list(FlowLayout(record.flow_id).prefix)) == []
    assert set(store.list("functions/")) == before
    assert set(store.list(FlowLayout(str(other.spec.flow.id)).prefix)) == neighbour
    assert [one.name for one in Registry(store).records()] == ["sales"]
    assert Registry(store).retired() == []
