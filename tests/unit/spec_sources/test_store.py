"""Specs in the store of a connection: shown like those of a folder, and never missing without a word."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from aqueduct_provider import DagFactory
from aqueduct_provider.errors import StorageUnavailable
from aqueduct_provider.spec_sources import mirror
from aqueduct_provider.spec_sources import store as store_module
from aqueduct_provider.spec_sources.store import SpecStore
from aqueduct_provider.storage.s3 import S3Store
from tests.support.example_specs import FLOW_ID, native_document
from tests.unit.spec_sources.conftest import Connect, Put

FAILED = "broken_spec__aqueduct_store_aqueduct_default"


def flow(name: str, **fields: Any) -> dict[str, Any]:
    return native_document(dag_id=name, flow={"id": FLOW_ID, "name": name}, **fields)


def unwrapped(dag: Any) -> str:
    return " ".join(dag.doc_md.split())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The worker's cache folder; S3 that is away is not asked again."""
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__S3_MAX_ATTEMPTS", "1")
    return tmp_path / "cache"


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The levels of what people should read; botocore's chatter is none of it."""
    return [record.levelname for record in caplog.records if record.levelno > logging.INFO]


@pytest.fixture
def outage(connect: Connect, monkeypatch: pytest.MonkeyPatch, s3_server: str) -> Callable[[bool], None]:
    """Take S3 away, and give it back: the endpoint is not the connection's, but the machine's."""
    connect(endpoint_url="")

    def take(gone: bool) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1" if gone else s3_server)

    take(False)
    return take


def test_specs_come_change_and_go(put: Put, bucket: str) -> None:
    assert DagFactory.dags_in_store() == {}
    put("churn.json", flow("churn"))
    put("other.json", flow("other"))
    dags = DagFactory.dags_in_store()
    assert set(dags) == {"churn", "other"}
    assert f"from `s3://{bucket}/root/specs/churn.json`" in dags["churn"].doc_md
    assert {dag.fileloc for dag in dags.values()} == {__file__}
    put("churn.json", flow("churn", schedule=None))
    put("other.json", None)
    (dag,) = DagFactory.dags_in_store().values()
    assert dag.timetable.can_be_scheduled is False


def test_specs_that_a_bundle_shows_are_left_to_it_but_for_tasks(
    put: Put, monkeypatch: pytest.MonkeyPatch, task_of: Callable[[str], None]
) -> None:
    put("churn.json", flow("churn"))
    bundles = [{"classpath": "aqueduct_provider.bundles.AqueductDagBundle", "kwargs": {}}]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
    assert DagFactory.dags_in_store() == {}
    task_of("churn")
    assert set(DagFactory.dags_in_store()) == {"churn"}


def test_another_prefix(put: Put, s3_client: Any, bucket: str) -> None:
    put("churn.json", flow("churn"))
    s3_client.put_object(Bucket=bucket, Key="root/team/x.json", Body=json.dumps(flow("x")))
    s3_client.put_object(Bucket=bucket, Key="root/y.json", Body=json.dumps(flow("y")))
    assert set(DagFactory.dags_in_store(prefix="team")) == {"x"}
    assert set(DagFactory.dags_in_store(prefix="team/")) == {"x"}
    assert set(DagFactory.dags_in_store(prefix="")) == {"y"}


def test_a_bad_spec_hides_nothing_and_is_seen(put: Put, bucket: str) -> None:
    put("churn.json", flow("churn"))
    put("broken.json", "{")
    put("misnamed.json", flow("elsewhere"))
    dags = DagFactory.dags_in_store()
    assert len(dags) == 3
    shown = " ".join(unwrapped(dag) for dag_id, dag in dags.items() if dag_id != "churn")
    assert f"s3://{bucket}/root/specs/broken.json has 1 problem" in shown
    assert "tasks of 'elsewhere' look for elsewhere.json; rename the object" in shown


def test_an_object_that_cannot_be_had_is_seen(put: Put, mocker: MockerFixture) -> None:
    mocker.patch.object(mirror, "MAX_BYTES", 10)
    put("churn.json", flow("churn"))
    (dag,) = DagFactory.dags_in_store().values()
    assert dag.dag_id.startswith("broken_spec__s3___")
    assert "larger than" in unwrapped(dag)


def test_the_last_good_state_outlives_s3(
    put: Put, outage: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    put("churn.json", flow("churn"))
    outage(True)
    (failed,) = DagFactory.dags_in_store().values()
    assert failed.dag_id == FAILED
    assert failed.is_paused_upon_creation is True
    assert "Could not connect to the endpoint URL" in unwrapped(failed)
    assert told(caplog) == ["ERROR"]
    caplog.clear()
    outage(False)
    assert set(DagFactory.dags_in_store()) == {"churn"}
    assert told(caplog) == []
    outage(True)
    assert set(DagFactory.dags_in_store()) == {"churn"}
    assert told(caplog) == ["WARNING"]
    assert "as they last were. s3://" in caplog.text


def test_the_last_good_state_outlives_the_credentials(
    put: Put, connect: Connect, task_of: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    put("churn.json", flow("churn"))
    assert set(DagFactory.dags_in_store()) == {"churn"}
    connect(credentials_path="/no/such/file")
    assert set(DagFactory.dags_in_store()) == {"churn"}
    task_of("churn")
    assert set(DagFactory.dags_in_store()) == {"churn"}
    assert caplog.text.count("The credentials file") == 2
    assert told(caplog) == ["WARNING", "WARNING"]


def test_an_outage_during_the_first_filling_is_seen_beside_what_came(
    put: Put, mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = S3Store.get

    def fail(store: S3Store, key: str) -> bytes:
        if key == "specs/b.json":
            raise StorageUnavailable("S3 went away.")
        return get(store, key)

    monkeypatch.setenv("AIRFLOW__AQUEDUCT__PARALLEL_REQUESTS", "1")
    for name in ("a", "b"):
        put(f"{name}.json", flow(name))
    mocker.patch.object(S3Store, "get", fail)
    dags = DagFactory.dags_in_store()
    assert set(dags) == {"a", FAILED}
    assert "S3 went away." in unwrapped(dags[FAILED])
    mocker.stopall()
    assert set(DagFactory.dags_in_store()) == {"a", "b"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bucket": "no-such-bucket"}, "The bucket 'no-such-bucket' does not exist"),
        ({"bucket": "no bucket"}, "is not a valid bucket name"),
        ({"credentials_path": "/no/such/file"}, "The credentials file /no/such/file"),
        ({"buckett": "x"}, "did you mean 'bucket'?"),
        ({"endpoint_url": "nonsense"}, "An endpoint URL looks like"),
    ],
)
def test_a_wrong_connection_is_seen(
    connect: Connect, folder: Path, write: Callable[[str, Any], Path], changes: dict[str, str], message: str
) -> None:
    connect(**changes)
    write("mine.json", flow("mine"))
    dags = DagFactory.dags_in(folder, connection_id="aqueduct_default")
    assert set(dags) == {"mine", FAILED}
    assert message in unwrapped(dags[FAILED])


def test_a_missing_connection_is_seen(caplog: pytest.LogCaptureFixture) -> None:
    dags = DagFactory.dags_in_store("gone")
    assert set(dags) == {"broken_spec__aqueduct_store_gone"}
    assert "Airflow has no connection 'gone'" in unwrapped(*dags.values())
    assert "Airflow has no connection 'gone'" in caplog.text


def test_a_cache_that_cannot_be_written_is_seen(put: Put, cache: Path) -> None:
    cache.touch()
    (dag,) = DagFactory.dags_in_store().values()
    assert "cannot be kept in" in unwrapped(dag)
    assert "cache_dir" in unwrapped(dag)


def test_an_error_that_nobody_foresaw_is_seen_without_its_message(put: Put, mocker: MockerFixture) -> None:
    mocker.patch.object(store_module, "connect", side_effect=RuntimeError("planted-secret"))
    (dag,) = DagFactory.dags_in_store().values()
    assert "RuntimeError in" in unwrapped(dag)
    assert "planted" not in dag.doc_md


def test_of_a_dag_id_in_folder_and_store_the_folders_wins(
    put: Put, folder: Path, write: Callable[[str, Any], Path], bucket: str
) -> None:
    put("churn.json", flow("churn"))
    put("other.json", flow("other"))
    write("a copy.json", flow("churn"))
    dags = DagFactory.dags_in(folder / "aqueduct_dags.py", connection_id="aqueduct_default")
    assert len(dags) == 3
    assert "from `a copy.json`" in dags["churn"].doc_md
    assert {dag.fileloc for dag in dags.values()} == {str(folder / "aqueduct_dags.py")}
    (loser,) = (dag for dag_id, dag in dags.items() if dag_id not in ("churn", "other"))
    assert f"s3://{bucket}/root/specs/churn.json has 1 problem" in unwrapped(loser)
    assert "'churn' is the DAG id of a copy.json already" in unwrapped(loser)


def test_broken_specs_of_one_name_are_both_seen(
    put: Put, folder: Path, write: Callable[[str, Any], Path]
) -> None:
    put("churn.json", "{")
    write("churn.json", "{")
    assert len(DagFactory.dags_in(folder, connection_id="aqueduct_default")) == 2


# --- at task start


@pytest.fixture
def requests(mocker: MockerFixture) -> Callable[[], list[str]]:
    """What was asked of the store since the last look."""
    spies = [mocker.spy(S3Store, name) for name in ("get", "entries")]

    def since() -> list[str]:
        asked = [call.args[1] for spy in spies for call in spy.call_args_list]
        for spy in spies:
            spy.reset_mock()
        return asked

    return since


def test_a_task_asks_for_its_spec_alone_and_gets_the_same_dag(
    put: Put,
    task_of: Callable[[str], None],
    requests: Callable[[], list[str]],
    serialized: Callable[[Any], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    put("churn.json", flow("churn"))
    put("other.json", flow("other"))
    dags = DagFactory.dags_in_store()
    requests()
    # On a worker that shares no disk with the scheduler.
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__CACHE_DIR", str(tmp_path / "worker"))
    task_of("churn")
    alone = DagFactory.dags_in_store()
    assert list(alone) == ["churn"]
    assert requests() == ["specs/churn.json"]
    assert serialized(alone["churn"]) == serialized(dags["churn"])


def test_a_task_of_the_folder_asks_nothing(
    put: Put,
    folder: Path,
    write: Callable[[str, Any], Path],
    task_of: Callable[[str], None],
    requests: Callable[[], list[str]],
) -> None:
    put("churn.json", flow("churn"))
    put("delivered.json", flow("delivered"))
    write("any.json", flow("churn"))
    for dag_id, asked in (("churn", []), ("delivered", ["specs/delivered.json"])):
        task_of(dag_id)
        assert list(DagFactory.dags_in(folder, connection_id="aqueduct_default")) == [dag_id]
        assert requests() == asked


def test_a_task_whose_spec_or_store_is_gone_uses_the_mirror(
    put: Put,
    task_of: Callable[[str], None],
    outage: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    put("churn.json", flow("churn"))
    DagFactory.dags_in_store()
    task_of("churn")
    outage(True)
    assert set(DagFactory.dags_in_store()) == {"churn"}
    assert "The task uses the version fetched before." in caplog.text
    outage(False)
    put("churn.json", None)
    caplog.clear()
    assert set(DagFactory.dags_in_store()) == {"churn"}
    assert "The object s3://" in caplog.text
    assert told(caplog) == ["WARNING"]


def test_a_task_that_cannot_get_its_spec_says_so(
    connect: Connect,
    task_of: Callable[[str], None],
    outage: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    task_of("churn")
    outage(True)
    assert DagFactory.dags_in_store() == {}
    assert "The task cannot run." in caplog.text
    assert told(caplog) == ["ERROR"]
    caplog.clear()
    outage(False)
    assert DagFactory.dags_in_store() == {}
    assert told(caplog) == []


@pytest.mark.parametrize("is_open", [True, False])
def test_a_task_starts_though_its_spec_cannot_be_mirrored(
    put: Put,
    task_of: Callable[[str], None],
    cache: Path,
    is_open: bool,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put("churn.json", flow("churn"))
    if is_open:
        cache.mkdir()
        cache.chmod(0o1777)
    else:
        cache.touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    task_of("churn")
    assert set(DagFactory.dags_in_store()) == {"churn"}
    assert "The task fetches its spec for itself." in caplog.text
    assert told(caplog) == ["WARNING"]
    assert not [path for path in (tmp_path / "temporary").rglob("*") if path.is_file()]
    task_of("other")
    assert DagFactory.dags_in_store() == {}


def test_placeholders_are_found_again(
    put: Put,
    folder: Path,
    write: Callable[[str, Any], Path],
    task_of: Callable[[str], None],
    serialized: Callable[[Any], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put("churn.json", flow("churn"))
    put("broken.json", "{")
    write("churn.json", flow("churn"))
    write("broken.json", "{")
    dags = DagFactory.dags_in(folder, connection_id="aqueduct_default")
    assert len(dags) == 4
    for dag_id, dag in dags.items():
        task_of(dag_id)
        alone = DagFactory.dags_in(folder, connection_id="aqueduct_default")
        assert list(alone) == [dag_id]
        assert serialized(alone[dag_id]) == serialized(dag)
    task_of("broken_spec__aqueduct_store_gone")
    assert list(DagFactory.dags_in(folder, connection_id="gone")) == ["broken_spec__aqueduct_store_gone"]


def test_airflows_of_one_machine_may_share_the_cache(put: Put, connect: Connect, cache: Path) -> None:
    put("churn.json", flow("churn"))
    assert set(DagFactory.dags_in_store()) == {"churn"}
    connect(root_dir="elsewhere")
    assert DagFactory.dags_in_store() == {}
    assert len(list((cache / "specs").iterdir())) == 2


def test_the_place_names_the_store(put: Put, bucket: str) -> None:
    put("churn.json", flow("churn"))
    place = SpecStore("aqueduct_default", "specs/").listing()
    assert place.origin == f"s3://{bucket}/root/specs/"
    assert place.names == ("churn.json",)
