from __future__ import annotations

from aqueduct_provider.sdk.resources.demo_numbers import Numbers
from aqueduct_provider.sdk.resources.demo_reviews import hotel_reviews


def test_reviews() -> None:
    rows = list(hotel_reviews(Numbers("test")))
    assert len(rows) == 100
    hotels, days, nationalities, reviews = map(set, zip(*rows, strict=True))
    assert len(hotels) == 10
    assert all("2023-01-01" <= day < "2025-01-01" for day in days)
    # Queries of the original's tutorials ask for it so.
    assert {" United Kingdom ", " Australia "} < nationalities
    assert len(reviews) > 80


def test_bad_and_good_stays_are_told_in_other_words() -> None:
    reviews = [row[3] for row in hotel_reviews(Numbers("test"))]
    bad = [text for text in reviews if text.startswith(("Never again", "We left a day early"))]
    assert bad
    assert not any("spotless" in text or "overslept" in text for text in bad)
