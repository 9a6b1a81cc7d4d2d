from __future__ import annotations

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk.constants import enums


@pytest.mark.parametrize("name", enums.__all__)
def test_the_choices_are_those_at_the_top(name: str) -> None:
    assert getattr(enums, name) is getattr(aq, name)
