"""Versions in the store: listed, found by what users call them, and those that cannot be read."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aqueduct_provider.errors import AuthoringError, DigestMismatch, IntegrityError, NotFound, SpecError
from aqueduct_provider.sdk.publishing.flow_names import flow_id_of
from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
from aqueduct_provider.sdk.publishing.registry import Registry
from aqueduct_provider.sdk.versions.finding import find_version, list_versions
from aqueduct_provider.storage.layout import FlowLayout
from tests.support.example_specs import native_document
from tests.support.observed_stores import CountingStore

NOON = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
FLOW = FlowLayout(flow_id_of("churn"))
# Of all versions here.
END_OF_IDS = "-58c1-4f7e-8a3e-6c1f2b5d4e90"


class Published:
    """A flow with versions, as publishing leaves them."""

    def __init__(self, folder: Path) -> None:
        self.store = CountingStore(folder)
        self.registry = Registry(self.store)
        self.folder = folder

    record: FlowRecord = None  # type: ignore[assignment]

    def version(self, place: int, number: int | None, *, forged: bool = False, **fields: Any) -> str:
        """Put a version there.

        :param place: in the order of time; it is the beginning of its id, too.
        :param forged: whether the flow's record does not know it.
        """
        version_id = f"{place:08x}-58c1-4f7e-8a3e-6c1f2b5d4e90"
        moment = NOON + timedelta(hours=place)
        version = {"id": version_id, "number": number, "created_at": moment.isoformat()}
        flow = {"id": FLOW.flow_id, "name": "churn"}
        text = json.dumps(native_document(version=version, flow=flow, **fields)).encode()
        self.store.put(FLOW.version(version_id), text)
        path = self.folder / FLOW.version(version_id)
        os.utime(path, (moment.timestamp(), moment.timestamp()))
        digest = hashlib.sha256(text).hexdigest()
        if not forged:
            earlier = self.record.next_earlier() if self.record else ()
            known = {"earlier": earlier, "number": number}
            place = FLOW.flow_id, "churn", "churn"
            self.record = FlowRecord(*place, version_id, moment, "cluster", "", digest, **known)
            self.registry.put(self.record)
        return version_id

    def touch(self, place: int, hour: int) -> None:
        """Let a version look as if it had been written at another time."""
        (path,) = (self.folder / FLOW.versions_prefix).glob(f"{place:08x}-*")
        moment = (NOON + timedelta(hours=hour)).timestamp()
        os.utime(path, (moment, moment))

    def find(self, name: Any) -> str:
        return find_version(self.registry, self.record, name).id


@pytest.fixture
def flow(tmp_path: Path) -> Published:
    made = Published(tmp_path)
    for place in range(1, 13):
        made.version(place, place, retention={"k_latest_runs": place})
    return made


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *((12, 12), ("v12", 12), ("12", 12), (" V3 ", 3), (1, 1), ("latest", 12)),
        *(("00000007", 7), ("00000007-58C1", 7), (UUID("00000005-58c1-4f7e-8a3e-6c1f2b5d4e90"), 5)),
    ],
)
def test_what_users_call_a_version(flow: Published, name: Any, place: int) -> None:
    found = find_version(flow.registry, flow.record, name)
    assert found.id == f"{place:08x}-58c1-4f7e-8a3e-6c1f2b5d4e90"
    assert (found.number, found.label, str(found)) == (place, f"v{place}", f"v{place} ({place:08x})")
    assert find_version(flow.registry, flow.record, found) is found


def test_a_number_costs_few_requests(flow: Published) -> None:
    flow.store.clear()
    assert flow.find(6).startswith("00000006")
    assert len(flow.store.keys("get")) <= 6


@pytest.mark.parametrize("name", [13, "v99", "deadbeef", "00000007-0000"])
def test_versions_that_are_not_there(flow: Published, name: Any) -> None:
    with pytest.raises(NotFound, match=r"^'churn' has no version .*: it has 12\."):
        flow.find(name)


@pytest.mark.parametrize("name", [0, "v0", -1, True, "", "newest", "0000007", 1.5, None, "../12"])
def test_what_is_not_a_version(flow: Published, name: Any) -> None:
    with pytest.raises(AuthoringError, match="is not a version of 'churn': give its number, such as 12"):
        flow.find(name)


def test_a_number_that_two_versions_have(flow: Published) -> None:
    flow.version(13, 12)
    with pytest.raises(AuthoringError, match=r"2 versions .* meant by 'v12'.*: 0000000c-.*, 0000000d-.*Name"):
        flow.find("v12")
    assert flow.find("0000000d").startswith("0000000d")


def test_a_number_far_from_its_place(flow: Published) -> None:
    flow.version(13, 40)
    flow.version(14, 50, forged=True)
    assert flow.find(40).startswith("0000000d")
    # What the record does not know can be shown.
    assert flow.find(50).startswith("0000000e")


def test_a_number_is_what_the_record_says(flow: Published) -> None:
    """Whoever can write a version can choose its number, and the order of time of all."""
    flow.version(0, 3, forged=True)
    for place in range(1, 13):
        flow.touch(place, 30 + (place + 9) % 12)
    assert flow.find(3).startswith("00000003")
    listed = {one.id[:8]: one.label for one in list_versions(flow.registry, flow.record, 50)}
    assert listed["00000003"] == "v3"
    assert listed["00000000"] == "00000000"
    # Also by the beginning of its id.
    other = "00000003-0000-4f7e-8a3e-6c1f2b5d4e90"
    text = flow.store.get(FLOW.version("00000003" + END_OF_IDS))
    flow.store.put(FLOW.version(other), text.replace(f"00000003{END_OF_IDS}".encode(), other.encode()))
    assert flow.find("00000003") == "00000003" + END_OF_IDS
    assert flow.find(other) == other
    flow.store.put(FLOW.version(other), text)
    with pytest.raises(IntegrityError, match=r"is version 00000003-58c1-.* and not version 00000003-0000-"):
        find_version(Registry(flow.store), flow.record, other)


def test_a_version_that_was_changed(flow: Published, caplog: pytest.LogCaptureFixture) -> None:
    key = FLOW.version("00000003" + END_OF_IDS)
    flow.store.put(key, flow.store.get(key) + b" ")
    for name in (3, "00000003"):
        with pytest.raises(DigestMismatch, match=f"{key} was changed after it was published"):
            flow.find(name)
    assert len(list_versions(flow.registry, flow.record, 50)) == 11
    assert "Version 00000003" in caplog.text


def test_latest_is_what_was_published_meanwhile(flow: Published) -> None:
    earlier = flow.record
    flow.version(13, 13)
    assert find_version(flow.registry, earlier, "latest").number == 13
    flow.store.put(FLOW.version(flow.record.version_id), b"{}")
    with pytest.raises((DigestMismatch, SpecError)):
        find_version(Registry(flow.store), earlier, "latest")


def test_versions_without_numbers_are_counted_in_the_order_of_time(tmp_path: Path) -> None:
    made = Published(tmp_path)
    for place in (3, 1, 2):
        made.version(place, None)
    assert [(one.label, one.id[:8]) for one in list_versions(made.registry, made.record, 10)] == [
        ("v3", "00000003"),
        ("v2", "00000002"),
        ("v1", "00000001"),
    ]
    assert made.find(2).startswith("00000002")


def test_the_newest_are_listed_with_what_they_changed(flow: Published) -> None:
    flow.store.clear()
    found = list_versions(flow.registry, flow.record, 3)
    assert [one.number for one in found] == [12, 11, 10]
    assert [one.changes for one in found] == [("changed the retention",)] * 3
    assert len(flow.store.keys("get")) == 4
    every = list_versions(flow.registry, flow.record, 50)
    assert [one.number for one in every] == list(range(12, 0, -1))
    assert every[-1].changes is None


def test_versions_that_cannot_be_read_are_left_out(flow: Published, caplog: pytest.LogCaptureFixture) -> None:
    flow.store.put(FLOW.version("0000000b-58c1-4f7e-8a3e-6c1f2b5d4e90"), b"damaged")
    found = list_versions(Registry(flow.store), flow.record, 50)
    assert {one.number for one in found} == {*range(1, 13)} - {11}
    assert "Version 0000000b-58c1-4f7e-8a3e-6c1f2b5d4e90 of 'churn' is left out" in caplog.text
    with pytest.raises(SpecError):
        find_version(Registry(flow.store), flow.record, "0000000b")


def test_nothing_is_in_the_store(flow: Published) -> None:
    flow.store.delete(list(flow.store.list(FLOW.versions_prefix)))
    assert str(list_versions(Registry(flow.store), flow.record, 5)) == "No version is in the store."
    with pytest.raises(NotFound, match=r"Version 00000001-.* is missing"):
        find_version(Registry(flow.store), flow.record, 1)
    with pytest.raises(NotFound, match="none is in the store"):
        find_version(Registry(flow.store), flow.record, 99)
