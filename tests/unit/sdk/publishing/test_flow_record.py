"""Records of flows: what is stored, what is read back, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest

from aqueduct_provider.sdk.publishing.flow_record import FlowRecord, PublishedVersion

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=1)))


def version(hours: int = 0) -> PublishedVersion:
    return PublishedVersion(str(uuid4()), NOON + timedelta(hours=hours))


def record(**changes: Any) -> FlowRecord:
    made = FlowRecord(
        flow_id=str(uuid4()),
        name="churn",
        dag_id="churn",
        version_id=str(uuid4()),
        created_at=NOON,
        engine="cluster",
        delivered_to="s3://bucket/specs/churn.json",
        spec_sha256="0" * 64,
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"retired_at": NOON},
        {"earlier": (version(), version(-1))},
        {"number": 3, "earlier": (replace(version(), number=2, spec_sha256="1" * 64), version(-1))},
    ],
    ids=["live", "gone", "older", "numbered"],
)
def test_it_is_read_as_it_was_written(changes: Any) -> None:
    made = record(**changes)
    assert FlowRecord.from_json(made.to_json()) == made


def test_records_of_earlier_releases_are_read() -> None:
    document = json.loads(record().to_json())
    assert document.keys() >= {"flow_id", "name", "dag_id", "version_id", "created_at", "spec_sha256"}
    assert "retired_at" not in document
    del document["earlier"]
    found = FlowRecord.from_json(json.dumps(document).encode())
    assert (found.earlier, found.retired_at, found.number) == ((), None, None)
    assert found.newest.label == found.version_id[:8]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 1}, "no text at name"),
        ({"created_at": None}, "no text at created_at"),
        ({"number": 0}, "number is not an integer above 0"),
        ({"number": "3"}, "number is not an integer above 0"),
        ({"created_at": "2026-01-31T12:00:00"}, "created_at has no offset"),
        ({"retired_at": "2026-01-31T12:00:00"}, "retired_at has no offset"),
        ({"flow_id": "../x"}, "badly formed"),
        ({"earlier": "x"}, "no list at earlier"),
        ({"earlier": ["x"]}, "an earlier version is not a JSON object"),
        ({"earlier": [{"version_id": "1", "created_at": NOON.isoformat()}]}, "badly formed"),
    ],
)
def test_what_is_no_record(change: dict[str, Any], message: str) -> None:
    document = {**json.loads(record().to_json()), **change}
    with pytest.raises(ValueError, match=message):
        FlowRecord.from_json(json.dumps(document).encode())


def test_the_next_record_remembers_this_version_first() -> None:
    made = record(number=41, earlier=tuple(version(-number) for number in range(250)))
    assert made.next_earlier()[0] == PublishedVersion(made.version_id, NOON, 41, "0" * 64)
    assert made.next_earlier()[0].label == f"v41 ({made.version_id[:8]})"
    assert made.next_earlier()[1:] == made.earlier[:199]


def test_a_version_is_known_by_its_digest() -> None:
    numbered = replace(version(-1), number=2, spec_sha256="1" * 64)
    made = record(number=3, earlier=(numbered, replace(version(-2), number=2), version(-3)))
    assert made.known(made.version_id) == made.newest
    assert made.known(numbered.version_id) == numbered
    assert [made.known(one.version_id) for one in made.earlier[1:]] == [None, None]
    assert made.known(str(uuid4())) is None
    assert made.numbered(2) == [*made.earlier[:2]]
    assert made.numbered(4) == []
