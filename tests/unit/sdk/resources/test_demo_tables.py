"""The rows of the demo database: how many there are, always the same, and worth a model."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from aqueduct_provider.sdk.resources.demo_tables import TABLES, made

# Aqueduct formats, section 8. The digests are what every machine has: change them with the rows, and with the
# outputs that docs/tutorial/data-systems.md shows.
EXPECTED = {
    "customer_activity": (7032, "e47f4876e003873a"),
    "customers": (500, "70c083003bf0e7b6"),
    "hotel_reviews": (100, "89c8e61bd0cab41f"),
    "mpg": (398, "2cd400ae33db62fe"),
    "tips": (244, "5e8a92f379a21055"),
    "wine": (6497, "d1d708f5459eeb53"),
}


def columns(table: str) -> dict[str, list[Any]]:
    names = [column.partition(" ")[0] for column in TABLES[table].split(", ")]
    return dict(zip(names, map(list, zip(*made(table), strict=True)), strict=True))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.mark.parametrize("table", TABLES)
def test_the_same_rows_everywhere(table: str) -> None:
    rows = list(made(table))
    digest = hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()[:16]
    assert (len(rows), digest) == EXPECTED[table]
    assert {len(row) for row in rows} == {len(TABLES[table].split(", "))}


@pytest.mark.parametrize("table", ["mpg", "tips", "wine"])
def test_ids_count_the_rows(table: str) -> None:
    ids = columns(table)["id"]
    assert all(after == before + 1 for before, after in pairwise(ids))


def test_who_pays_monthly_is_there_for_less_time() -> None:
    found = columns("customer_activity")
    stays: dict[str, list[float]] = {}
    for contract, tenure in zip(found["contract"], found["tenure"], strict=True):
        stays.setdefault(contract, []).append(tenure)
    assert mean(stays["Month-to-month"]) + 10 < mean(stays["Two year"])
    assert (min(found["tenure"]), max(found["tenure"])) == (1, 72)


def test_customers_are_no_less_than_nothing_so_that_logarithms_can_be_taken() -> None:
    found = columns("customers")
    assert all(value >= 0 for values in found.values() for value in values)
    assert set(found["using_dbt"]) == set(found["using_deep_learning"]) == {0, 1}


def test_heavy_cars_need_more_fuel() -> None:
    found = columns("mpg")
    heavy = [miles for miles, weight in zip(found["mpg"], found["weight"], strict=True) if weight > 3500]
    light = [miles for miles, weight in zip(found["mpg"], found["weight"], strict=True) if weight < 2500]
    assert mean(heavy) + 5 < mean(light)
    assert set(found["origin"]) == {"usa", "europe", "japan"}


def test_strong_wines_are_liked() -> None:
    found = columns("wine")
    liked = [
        (quality, alcohol)
        for quality, alcohol in zip(found["quality"], found["alcohol"], strict=True)
        if isinstance(quality, float)
    ]
    strong = [quality for quality, alcohol in liked if alcohol > 12]
    weak = [quality for quality, alcohol in liked if alcohol < 9.5]
    assert mean(weak) + 0.5 < mean(strong)
    assert Counter(found["color"])["white"] > Counter(found["color"])["red"] > 1000


def test_tips_are_a_part_of_the_bill() -> None:
    found = columns("tips")
    shares = [tip / bill for tip, bill in zip(found["tip"], found["total_bill"], strict=True)]
    assert 0.1 < mean(shares) < 0.2
