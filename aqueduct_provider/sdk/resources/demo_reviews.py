"""The hotel reviews of the demo database, put together from sentences (pure).

As in the original's table, a nationality has a space on either side: queries of its tutorials ask for
``' United Kingdom '``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from aqueduct_provider.sdk.resources.demo_numbers import Numbers

_HOTELS = (
    "Harbour House Lisbon",
    "Old Mill Porto",
    "The Lantern London",
    "Canal Court Amsterdam",
    "Maison Verte Paris",
    "Hotel Arcadia Milano",
    "Gasthof Linde Vienna",
    "Casa Naranja Barcelona",
    "Station Square Ghent",
    "The Orchard Dublin",
)
# How often each comes.
_NATIONALITIES = {
    "United Kingdom": 40,
    "United States of America": 9,
    "Australia": 8,
    "Ireland": 6,
    "Germany": 6,
    "Netherlands": 5,
    "France": 5,
    "Italy": 5,
    "Canada": 4,
    "Switzerland": 3,
    "Spain": 3,
    "Israel": 2,
    "Japan": 2,
    "Brazil": 1,
    "India": 1,
}
# By what the guest thinks of the stay, from bad to good.
_OPENINGS = (
    ("Never again.", "We left a day early.", "A great disappointment for this price."),
    ("Below what we had hoped for.", "A tired place in need of care.", "Not what the pictures promised."),
    ("Neither good nor bad.", "All right for one night.", "An average hotel in a handy location."),
    ("A good stay.", "We would come again.", "A friendly hotel with small faults."),
    ("The best hotel of our journey!", "Simply wonderful.", "We loved every minute here."),
)
_BAD = (
    "The street was so loud that we hardly slept.",
    "The bathroom smelled of damp and the shower leaked.",
    "Nobody at the desk could help with a wrong bill.",
    "The bed was hard and the pillows were worse.",
    "Breakfast was cold and the coffee undrinkable.",
    "The lift was broken for the whole week.",
    "The heating could not be turned off.",
)
_GOOD = (
    "The staff remembered our names and could not have been kinder.",
    "The bed was so comfortable that we overslept.",
    "From the window we saw the whole old town.",
    "Breakfast was fresh, generous and served until noon.",
    "The room was spotless and larger than expected.",
    "The tram stops at the door, so everything is close.",
    "A quiet courtyard, perfect for a glass of wine at night.",
)
# How many of the good ones are among three details, by what the guest thinks.
_PRAISE = (0, 1, 1, 2, 3)


def hotel_reviews(numbers: Numbers) -> Iterator[tuple[str, str, str, str]]:
    """Return the rows of the table."""
    for _ in range(100):
        # Most guests are content.
        mood = max(numbers.below(5), numbers.below(5))
        praised = _PRAISE[mood]
        details = [*_some(numbers, _BAD, 3 - praised), *_some(numbers, _GOOD, praised)]
        review = " ".join([numbers.one(_OPENINGS[mood]), *details[numbers.below(2) :]])
        nationality = tuple(_NATIONALITIES)[numbers.weighted(*_NATIONALITIES.values())]
        yield numbers.one(_HOTELS), numbers.day(date(2023, 1, 1), 730), f" {nationality} ", review


def _some(numbers: Numbers, sentences: tuple[str, ...], count: int) -> list[str]:
    return [sentences[place] for place in sorted(numbers.some_of(len(sentences), count))]
