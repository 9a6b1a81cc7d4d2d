"""What the repr of a run shows of the parameters that it was given."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.sdk.results.given_text import given_text


@pytest.mark.parametrize(
    ("conf", "shown"),
    [
        ({}, ""),
        ({"trees": 200, "country": "it"}, ", trees=200, country='it'"),
        ({"aqueduct_values": {"model": {"sha256": "0"}}, "n": 1}, ", n=1, model=(stored)"),
        ({"aqueduct_values": "forged"}, ""),
        ({"db_password": "hunter2"}, ", db_password=***"),
        ({"text": "x" * 100}, ", text='xxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxx'"),
        ({"a\x1b[31m": 1}, ", a=1"),
        ({f"p{number}": number for number in range(9)}, ", p0=0, p1=1, p2=2, p3=3, p4=4, ..."),
    ],
)
def test_what_is_shown(conf: dict[str, Any], shown: str) -> None:
    assert given_text(conf) == shown
