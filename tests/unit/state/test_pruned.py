from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.state.pruned import By, PrunedMark, pruned_mark_from_json

WHEN = datetime(2026, 11, 26, 1, 2, 3, tzinfo=timezone.utc)


def test_a_mark_comes_back() -> None:
    mark = PrunedMark(WHEN, "k_latest_runs", 3, "v1", {"total": 6, "share": 0.5, "many": True})
    assert pruned_mark_from_json(mark.to_json()) == mark


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("k_latest_runs", "deleted by the flow's retention (k_latest_runs=3) on 2026-11-26. To keep"),
        ("prune", "deleted on 2026-11-26 by a user who pruned the flow (keep=3)."),
    ],
)
def test_why(by: By, reason: str) -> None:
    assert PrunedMark(WHEN, by, 3, "v1").reason.startswith(reason)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"[]", b"{}", b'{"pruned_at": 1}', b"null"),
        *(
            json.dumps({**json.loads(PrunedMark(WHEN, "prune", 3, "v1").to_json()), **change}).encode()
            for change in (
                {"keep": float("inf")},
                {"keep": "3"},
                {"numbers": {"total": ["6"]}},
                {"numbers": 5},
                {"pruned_at": "2026-11-26T01:02:03"},
            )
        ),
    ],
)
def test_what_is_no_mark(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="mark of a pruned run"):
        pruned_mark_from_json(data)
