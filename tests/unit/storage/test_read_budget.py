from __future__ import annotations

from functools import partial

import pytest

from aqueduct_provider.errors import ObjectTooLarge
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.storage.read_budget import ReadBudget


def test_objects_are_read_until_the_bytes_are_spent() -> None:
    budget = ReadBudget(1000)
    with pytest.raises(ObjectTooLarge, match=r"^s3://b/a has 1,001 bytes; 1,000 are read at most\.$"):
        budget.take("s3://b/a", 1001)
    budget.take("s3://b/a", 600)
    with pytest.raises(ObjectTooLarge, match=r"1,000 are read at most, and 600 have been read before\.$"):
        budget.take("s3://b/b", 401)
    # A smaller one still fits.
    budget.take("s3://b/c", 400)
    budget.take("s3://b/empty", 0)
    with pytest.raises(ObjectTooLarge):
        budget.take("s3://b/d", 1)


def test_threads_share_the_bytes() -> None:
    budget = ReadBudget(50)

    def read(number: int) -> bool:
        try:
            budget.take(f"s3://b/{number}", 1)
        except ObjectTooLarge:
            return False
        return True

    assert together([partial(read, number) for number in range(200)], 16).count(True) == 50
