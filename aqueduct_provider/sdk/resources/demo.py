"""The demo database: a small SQLite file with tables of a hotel chain, the same on every machine.

Its rows are made up here. It is made when it is first asked for, and a file that is there stays as it is.
Must not import: anything heavy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.profile import ResourceProfile
from aqueduct_provider.sdk.resources.profile_file import VARIABLE

DEMO = "Demo"
# The Airflow connection by which runs reach an admin's copy of it.
DEMO_CONNECTION = "aqueduct_demo"
_FILE = "demo.sqlite"
_SEED = 20260101

_TABLES = {
    "hotels": "hotel_id INTEGER PRIMARY KEY, hotel TEXT, city TEXT, country TEXT, rooms INTEGER",
    "customers": (
        "customer_id INTEGER PRIMARY KEY, customer TEXT, country TEXT, joined_on DATE, is_member BOOLEAN, "
        "monthly_fee REAL"
    ),
    "hotel_reviews": (
        "review_id INTEGER PRIMARY KEY, hotel_id INTEGER, customer_id INTEGER, reviewed_on DATE, "
        "stars INTEGER, nights INTEGER, review TEXT"
    ),
    "wine": (
        "wine_id INTEGER PRIMARY KEY, colour TEXT, acidity REAL, sugar REAL, alcohol REAL, quality INTEGER"
    ),
}
_PLACES = (
    ("Lisbon", "Portugal"),
    ("Porto", "Portugal"),
    ("Turin", "Italy"),
    ("Bari", "Italy"),
    ("Bremen", "Germany"),
    ("Leipzig", "Germany"),
    ("Lyon", "France"),
    ("Nantes", "France"),
    ("Graz", "Austria"),
    ("Ghent", "Belgium"),
)
_HOTELS = ("Harbour House", "Old Mill")
_FIRST_NAMES = (
    "Ada Bruno Carla Dario Elsa Felix Greta Hugo Ines Jonas Karin Luca Mara Nils Olga Pavel".split()
)
_LAST_NAMES = "Amaral Berger Conti Dubois Ebner Ferri Gomes Huber Ivanov Janssen".split()
_COUNTRIES = ("Austria", "Belgium", "France", "Germany", "Italy", "Portugal")
# By stars: what guests say first, and then.
_OPENINGS = (
    ("Never again.", "We left a day early."),
    ("Below what we had hoped for.", "A tired place."),
    ("Neither good nor bad.", "All right for one night."),
    ("A good stay.", "We would come again."),
    ("The best hotel of our journey!", "Simply wonderful."),
)
_DETAILS = (
    "The room was small.",
    "Breakfast ended at nine.",
    "The window looked on the river.",
    "The staff remembered our names.",
    "The street was loud at night.",
    "The bed was comfortable.",
)
_CUSTOMERS, _REVIEWS, _WINES = 120, 400, 200


def demo_profile(folder: Path) -> ResourceProfile:
    """The demo database as a resource, made in this folder where it is not there yet.

    :raises ConfigError: the file cannot be written.
    """
    path = folder / _FILE
    if not path.exists():
        make_demo(path)
    return ResourceProfile(DEMO, "SQLite", {"database": str(path), "connection_id": DEMO_CONNECTION})


def make_demo(path: Path) -> None:
    """Write the demo database: all of it, or nothing.

    :raises ConfigError: the file cannot be written.
    """
    from aqueduct_provider.storage.files import replacing

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path) as file, closing(sqlite3.connect(file.name)) as database:
            # One transaction, and no journal beside a file that is going to be renamed.
            database.execute("PRAGMA journal_mode = MEMORY")
            with database:
                for name, rows in _rows().items():
                    _fill(database, name, rows)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(
            f"The demo database {path} cannot be written: {getattr(error, 'strerror', None) or error}. Check"
            " the permissions of its folder. The SDK's own copy lies next to the configuration file, which"
            f" {VARIABLE} names."
        ) from error


def _fill(database: sqlite3.Connection, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
    database.execute(f"CREATE TABLE {name} ({_TABLES[name]})")
    places = ", ".join("?" * len(rows[0]))
    database.executemany(f"INSERT INTO {name} VALUES ({places})", rows)


def _rows() -> dict[str, list[tuple[Any, ...]]]:
    # Only random(): its numbers are the same in every version of Python.
    numbers = Random(_SEED)
    return {
        "hotels": list(_hotels(numbers)),
        "customers": list(_customers(numbers)),
        "hotel_reviews": list(_reviews(numbers)),
        "wine": list(_wines(numbers)),
    }


def _hotels(numbers: Random) -> Iterator[tuple[Any, ...]]:
    places = [(city, country, name) for city, country in _PLACES for name in _HOTELS]
    for number, (city, country, name) in enumerate(places, 1):
        yield number, f"{name} {city}", city, country, 20 + _below(numbers, 100)


def _customers(numbers: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, _CUSTOMERS + 1):
        name = f"{_one(numbers, _FIRST_NAMES)} {_one(numbers, _LAST_NAMES)}"
        joined, member = _day(numbers), numbers.random() < 0.4
        fee = round(5 + 20 * numbers.random(), 2) if member else None
        yield number, name, _one(numbers, _COUNTRIES), joined, member, fee


def _reviews(numbers: Random) -> Iterator[tuple[Any, ...]]:
    hotels = len(_PLACES) * len(_HOTELS)
    for number in range(1, _REVIEWS + 1):
        hotel, customer = 1 + _below(numbers, hotels), 1 + _below(numbers, _CUSTOMERS)
        # Most guests are content.
        stars = 1 + max(_below(numbers, 5), _below(numbers, 5))
        text = f"{_one(numbers, _OPENINGS[stars - 1])} {_one(numbers, _DETAILS)}"
        yield number, hotel, customer, _day(numbers), stars, 1 + _below(numbers, 7), text


def _wines(numbers: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, _WINES + 1):
        colour = _one(numbers, ("red", "white"))
        alcohol = round(9 + 5 * numbers.random(), 1)
        quality = min(9, max(3, round(alcohol / 2 + 2 * numbers.random() - 1)))
        sugar = None if numbers.random() < 0.05 else round(1 + 12 * numbers.random(), 1)
        yield number, colour, round(4 + 4 * numbers.random(), 2), sugar, alcohol, quality


def _day(numbers: Random) -> str:
    return (date(2024, 1, 1) + timedelta(days=_below(numbers, 730))).isoformat()


def _below(numbers: Random, end: int) -> int:
    return int(numbers.random() * end)


def _one(numbers: Random, choices: Sequence[Any]) -> Any:
    return choices[_below(numbers, len(choices))]
