from __future__ import annotations

import re
from typing import get_args

import pytest

from aqueduct_provider.spec.conditions import ADDRESS_PATTERN, CONDITIONS, CONNECTION_PATTERN, Condition


def test_all_conditions_are_named() -> None:
    assert get_args(Condition) == CONDITIONS


@pytest.mark.parametrize("text", ["ops", "team/slack", "smtp_default", "a.b-c", "a:b"])
def test_ids_of_connections(text: str) -> None:
    assert re.fullmatch(CONNECTION_PATTERN, text)


@pytest.mark.parametrize("text", ["", "https://hooks.slack.com/services/T0", "a b", "a\nb", "http://x"])
def test_what_is_no_id_of_a_connection(text: str) -> None:
    assert not re.fullmatch(CONNECTION_PATTERN, text)


@pytest.mark.parametrize("text", ["ada@example.org", "ada+ops@example.org", "grün@example.org"])
def test_addresses(text: str) -> None:
    assert re.fullmatch(ADDRESS_PATTERN, text)


@pytest.mark.parametrize(
    "text", ["", "ada", "a@b@c", "a@b, c@d", "Ada <ada@example.org>", "a@b\nBcc: c@d", "a b@c"]
)
def test_what_is_no_address(text: str) -> None:
    assert not re.fullmatch(ADDRESS_PATTERN, text)
