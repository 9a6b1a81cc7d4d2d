from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, ConfigError, StorageError
from aqueduct_provider.sdk.resources.delivery import Delivery, FolderDelivery, StoreDelivery
from aqueduct_provider.spec.spec_files import is_spec_name
from aqueduct_provider.storage.local import LocalStore

FLOW = str(uuid.uuid4())
Place = Callable[[Path], Delivery]
PLACES: list[Place] = [FolderDelivery, lambda folder: StoreDelivery(LocalStore(folder))]
both = pytest.mark.parametrize("place", PLACES, ids=["folder", "store"])


def spec(flow_id: str = FLOW, dag_id: str = "churn", **more: Any) -> bytes:
    return json.dumps({"spec_version": 1, "flow": {"id": flow_id}, "dag_id": dag_id, **more}).encode()


@both
def test_a_spec_is_delivered_replaced_and_withdrawn(place: Place, tmp_path: Path) -> None:
    delivery = place(tmp_path)
    assert delivery.delivered("churn") is None
    where = delivery.deliver("churn", spec())
    assert delivery.delivered("churn") == spec()
    assert delivery.deliver("churn", spec(version=2)) == where
    assert delivery.delivered("churn") == spec(version=2)
    delivery.withdraw("churn")
    assert delivery.delivered("churn") is None
    delivery.withdraw("churn")


def test_where_it_is(tmp_path: Path) -> None:
    assert FolderDelivery(tmp_path).deliver("churn", spec()) == str(tmp_path / "churn.json")
    store = LocalStore(tmp_path)
    assert StoreDelivery(store).deliver("churn", spec()) == store.url("specs/churn.json")
    assert store.get("specs/churn.json") == spec()


@both
@pytest.mark.parametrize(
    "other",
    [
        spec(str(uuid.uuid4())),
        b'{"name": "package"}',
        b'{"type": "compile_airflow", "workflow_dag_id": "x"}',
        b"[]",
        b"{",
        b"\xff",
        b"",
        b"[" * 100_000,
    ],
    ids=["another flow", "foreign", "compiled", "list", "broken", "no text", "empty", "deep"],
)
def test_what_is_no_spec_of_the_flow_is_not_replaced(place: Place, other: bytes, tmp_path: Path) -> None:
    delivery = place(tmp_path)
    path = tmp_path / ("churn.json" if isinstance(delivery, FolderDelivery) else "specs/churn.json")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(other)
    with pytest.raises(
        AuthoringError, match=r"churn\.json is not a spec of this flow, so it was not replaced"
    ):
        delivery.deliver("churn", spec())
    assert path.read_bytes() == other


@both
def test_the_case_of_an_id_does_not_matter(place: Place, tmp_path: Path) -> None:
    delivery = place(tmp_path)
    delivery.deliver("churn", spec(FLOW.upper()))
    delivery.deliver("churn", spec())
    assert delivery.delivered("churn") == spec()


@pytest.mark.parametrize("other", [spec(dag_id="other"), b'{"name": "package"}', b"{"])
def test_what_is_no_spec_of_the_dag_is_not_removed_from_a_folder(tmp_path: Path, other: bytes) -> None:
    (tmp_path / "churn.json").write_bytes(other)
    with pytest.raises(
        AuthoringError, match="not a published spec of the DAG 'churn', so it was not removed"
    ):
        FolderDelivery(tmp_path).withdraw("churn")
    assert (tmp_path / "churn.json").read_bytes() == other


def test_everybody_may_read_a_delivered_file(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        FolderDelivery(tmp_path).deliver("churn", spec())
    finally:
        os.umask(before)
    assert (tmp_path / "churn.json").stat().st_mode & 0o777 == 0o644


def test_a_delivery_that_fails_leaves_the_spec_before(tmp_path: Path, mocker: Any) -> None:
    delivery, seen = FolderDelivery(tmp_path), []
    delivery.deliver("churn", spec())

    def full(descriptor: int, mode: int) -> None:
        seen.extend(path.name for path in tmp_path.iterdir() if is_spec_name(path.name))
        assert len(list(tmp_path.iterdir())) == 2
        raise OSError(28, "No space left on device")

    mocker.patch("os.fchmod", side_effect=full)
    with pytest.raises(StorageError, match=r"churn\.json: No space left on device"):
        delivery.deliver("churn", spec(version=2))
    assert seen == ["churn.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["churn.json"]
    assert delivery.delivered("churn") == spec()


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    delivery = FolderDelivery(tmp_path)
    whole = [spec(version=number, filling=str(number) * 300_000) for number in range(2)]
    delivery.deliver("churn", whole[0])
    over, seen = threading.Event(), set[bytes]()

    def read() -> None:
        while not over.is_set():
            seen.update(path.read_bytes() for path in tmp_path.iterdir() if is_spec_name(path.name))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(40):
        delivery.deliver("churn", whole[number % 2])
    over.set()
    reader.join()
    assert seen <= set(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["churn.json"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"The folder .*/none does not exist\. Correct the resource"):
        FolderDelivery(tmp_path / "none").deliver("churn", spec())
    assert FolderDelivery(tmp_path / "none").delivered("churn") is None
    FolderDelivery(tmp_path / "none").withdraw("churn")


def test_a_folder_that_may_not_be_written(tmp_path: Path, mocker: Any) -> None:
    # Root may write everywhere, so the system's answer is made.
    mocker.patch("os.access", return_value=False)
    with pytest.raises(ConfigError, match="You may not write into"):
        FolderDelivery(tmp_path).deliver("churn", spec())
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_files_place(tmp_path: Path) -> None:
    (tmp_path / "churn.json").mkdir()
    with pytest.raises(StorageError, match=r"churn\.json: Is a directory"):
        FolderDelivery(tmp_path).deliver("churn", spec())


@pytest.mark.parametrize("dag_id", ["", ".", "..", ".hidden", "a/b", "../churn", "/etc/churn", "a\0b"])
def test_ids_cannot_leave_the_folder(tmp_path: Path, dag_id: str) -> None:
    delivery = FolderDelivery(tmp_path)
    for use in (lambda: delivery.deliver(dag_id, spec()), lambda: delivery.withdraw(dag_id)):
        with pytest.raises(AuthoringError, match="is not a DAG id"):
            use()
