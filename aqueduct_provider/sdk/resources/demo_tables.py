"""The tables of the demo database: columns as in the original's, rows made up from a fixed seed (pure).

Rows are plausible, so that models find something: who pays monthly leaves early, heavy cars need more fuel,
strong wines are liked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from aqueduct_provider.sdk.resources.demo_numbers import Numbers
from aqueduct_provider.sdk.resources.demo_reviews import hotel_reviews

Row = tuple[Any, ...]

# Table -> its columns as declared to SQLite (Aqueduct formats, section 8).
TABLES = {
    "customer_activity": (
        "contract TEXT, payment_method TEXT, tenure INTEGER, monthly_charges REAL, total_charges REAL"
    ),
    "customers": (
        "cust_id INTEGER, n_workflows INTEGER, n_rows INTEGER, n_users INTEGER, company_size INTEGER, "
        "n_integrations INTEGER, n_support_tickets REAL, duration_months REAL, "
        "using_deep_learning INTEGER, n_data_eng REAL, using_dbt INTEGER"
    ),
    "hotel_reviews": "hotel_name TEXT, review_date TEXT, reviewer_nationality TEXT, review TEXT",
    "mpg": (
        "id INTEGER, mpg REAL, cylinders INTEGER, displacement REAL, horsepower REAL, weight INTEGER, "
        "acceleration REAL, model_year INTEGER, origin TEXT, name TEXT"
    ),
    "tips": (
        "id INTEGER, total_bill REAL, tip REAL, sex TEXT, smoker TEXT, day TEXT, time TEXT, size INTEGER"
    ),
    "wine": (
        "id INTEGER, color TEXT, fixed_acidity REAL, volatile_acidity REAL, citric_acid REAL, "
        "residual_sugar REAL, chlorides REAL, free_sulfur_dioxide REAL, total_sulfur_dioxide REAL, "
        "density REAL, ph REAL, sulphates REAL, alcohol REAL, quality REAL"
    ),
}
# What the original's tables hold where a number is not known: PostgreSQL's mark of a NULL in a text file.
_UNKNOWN = "\\N"

_CONTRACTS = ("Month-to-month", "One year", "Two year")
_PAYMENTS = ("Electronic check", "Mailed check", "Bank transfer (automatic)", "Credit card (automatic)")
_MAKERS = {
    "usa": ("bison", "carver", "dakota", "freeman", "hudson vale", "liberty"),
    "europe": ("albrecht", "bellini", "dumas", "kestrel", "nordvik"),
    "japan": ("akagi", "hayabe", "minato", "tokiwa"),
}
_MODELS = ("100", "brook", "coupe", "estate", "gt", "meadow", "pilot", "sport", "tempo", "vista")
# By origin: how often each number of cylinders is built.
_CYLINDERS = {"usa": (4, 4, 6, 6, 8, 8, 8), "europe": (4, 4, 4, 4, 5, 6), "japan": (3, 4, 4, 4, 4, 6)}


def made(table: str) -> Iterator[Row]:
    """Return the rows of a table; each table has its own random numbers, so it can change alone."""
    return _ROWS[table](Numbers(table))


def _customer_activity(numbers: Numbers) -> Iterator[Row]:
    for _ in range(7032):
        contract = _CONTRACTS[numbers.weighted(55, 21, 24)]
        # Who is bound for longer has been there for longer.
        share = numbers.skewed(2)
        tenure = 1 + int(72 * (share if contract == "Month-to-month" else 1 - share))
        weights = (45, 25, 15, 15) if contract == "Month-to-month" else (15, 20, 32, 33)
        monthly = numbers.bell(64, 26, 18, 119, 2)
        total = monthly if tenure == 1 else round(monthly * tenure * numbers.between(0.94, 1.06), 2)
        yield contract, _PAYMENTS[numbers.weighted(*weights)], tenure, monthly, total


def _customers(numbers: Numbers) -> Iterator[Row]:
    for number in range(1, 501):
        size = 5 + int(5000 * numbers.skewed(4))
        engineers = float(int(size * numbers.between(0.002, 0.02)))
        months = round(numbers.between(0.5, 48), 1)
        users = 1 + int(size * numbers.between(0.01, 0.08))
        workflows = 1 + int(users * numbers.between(0.2, 1.5) + months / 4)
        rows = 1000 * workflows * (1 + int(400 * numbers.skewed(3)))
        deep = int(numbers.chance(0.35 if size > 500 else 0.15))
        dbt = int(numbers.chance(0.6 if engineers > 2 else 0.25))
        tickets = float(int(users * numbers.between(0, 0.6) + 8 * numbers.skewed(2)))
        integrations = 1 + numbers.below(3) + int(engineers / 8) + dbt
        yield number, workflows, rows, users, size, integrations, tickets, months, deep, engineers, dbt


def _mpg(numbers: Numbers) -> Iterator[Row]:
    unknown = numbers.some_of(398, 6)
    for number in range(398):
        # Ordered by year, as such a list grows.
        year = 70 + number * 13 // 398
        origin = tuple(_MAKERS)[numbers.weighted(62, 18, 20)]
        cylinders = numbers.one(_CYLINDERS[origin])
        displacement = float(round(cylinders * numbers.between(24, 44)))
        power = float(round(displacement * numbers.between(0.38, 0.52) + numbers.between(18, 45)))
        weight = round(1250 + 7 * displacement + numbers.bell(0, 160, -400, 400, 0))
        acceleration = numbers.bell(21.5 - power / 18, 1.4, 8, 25, 1)
        economy = 46 - weight / 115 - power / 60 + (year - 70) * 0.65
        miles = numbers.bell(economy, 2, 9, 47, 1)
        name = f"{numbers.one(_MAKERS[origin])} {numbers.one(_MODELS)}"
        horsepower = _UNKNOWN if number in unknown else power
        yield (
            *(number + 1, miles, cylinders, displacement, horsepower),
            *(weight, acceleration, year, origin, name),
        )


def _tips(numbers: Numbers) -> Iterator[Row]:
    for number in range(1, 245):
        day = ("Thur", "Fri", "Sat", "Sun")[numbers.weighted(25, 8, 36, 31)]
        time = "Dinner" if day in ("Sat", "Sun") or numbers.chance(0.15) else "Lunch"
        size = (1, 2, 3, 4, 5, 6)[numbers.weighted(2, 63, 16, 15, 2, 2)]
        bill = round(4 + size * numbers.between(3, 10) + (2.5 if time == "Dinner" else 0), 2)
        tip = max(1.0, round(bill * numbers.bell(0.16, 0.045, 0.04, 0.4, 3), 2))
        sex, smoker = numbers.one(("Female", "Male", "Male")), numbers.one(("No", "No", "Yes"))
        yield number, bill, tip, sex, smoker, day, time, size


def _wine(numbers: Numbers) -> Iterator[Row]:
    unknown = numbers.some_of(6497, 4)
    for number in range(6497):
        red = numbers.chance(0.25)
        fixed = numbers.bell(8.2 if red else 6.9, 1.1, 4, 15, 1)
        volatile = numbers.bell(0.53 if red else 0.28, 0.12, 0.08, 1.5, 2)
        citric = numbers.bell(0.27 if red else 0.33, 0.13, 0, 1, 2)
        sugar = round(1.2 + (4 if red else 18) * numbers.skewed(3), 1)
        chlorides = numbers.bell(0.086 if red else 0.046, 0.02, 0.01, 0.5, 3)
        free = numbers.bell(16 if red else 35, 9, 1, 120, 0)
        total = free + numbers.bell(31 if red else 103, 22, 5, 300, 0)
        alcohol = numbers.bell(10.5, 1.1, 8, 14.5, 1)
        density = round(0.9935 + sugar * 0.0004 + fixed * 0.0003 - (alcohol - 10) * 0.0011, 5)
        ph = numbers.bell(3.75 - fixed * 0.065, 0.11, 2.7, 4.1, 2)
        sulphates = numbers.bell(0.65 if red else 0.49, 0.11, 0.2, 2, 2)
        liking = 5.8 + (alcohol - 10.5) * 0.42 - (volatile - 0.34) * 1.9 + (sulphates - 0.53) * 0.8
        quality = _UNKNOWN if number in unknown else numbers.bell(liking, 0.6, 3, 9, 0)
        yield (
            *(number + 1, "red" if red else "white", fixed, volatile, citric, sugar, chlorides),
            *(free, total, density, ph, sulphates, alcohol, quality),
        )


_ROWS: dict[str, Callable[[Numbers], Iterator[Row]]] = {
    "customer_activity": _customer_activity,
    "customers": _customers,
    "hotel_reviews": hotel_reviews,
    "mpg": _mpg,
    "tips": _tips,
    "wine": _wine,
}
