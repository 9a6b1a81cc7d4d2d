"""What it costs to compute a value here and now through the SDK, beside a plain call. For information.

``@op`` functions, called eagerly, each with ``.get()``: a tiny one, and one that is given a table and returns
it, which the SDK decodes for the function, encodes after it and decodes for the reader, as on Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aqueduct_provider.sdk as aq
from benchmarks.figures import Figure, Series, duration
from benchmarks.lab import BenchmarkFailed, Lab
from benchmarks.table_codecs import make_table


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param tiny_calls: of the tiny function.
    :param table_calls: of the function of a table.
    :param rows: of the table.
    """

    tiny_calls: int
    table_calls: int
    rows: int


FULL = Sizes(tiny_calls=300, table_calls=9, rows=200_000)
SMOKE = Sizes(tiny_calls=1, table_calls=1, rows=100)


@aq.op(requirements=[])
def tiny(number: int) -> int:
    return number + 1


@aq.op(requirements=["pandas"])
def same(table: Any) -> Any:
    return table


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    client, table = aq.Client(folder=str(lab.folder)), make_table(sizes.rows)
    number, source = client.create_param("number", 1), client.create_param("table", table)
    # The first call also encodes the parameter, and imports what encodes tables.
    if tiny(number).get() != 2 or not same(source).get().equals(table):
        raise BenchmarkFailed("something else came back")
    return [
        compared("tiny(...).get() of an @op, eager; the plain function", tiny, number, 1, sizes.tiny_calls),
        compared(
            f"the same with a table of {sizes.rows} rows and 10 columns",
            same,
            source,
            table,
            sizes.table_calls,
        ),
    ]


def compared(what: str, function: Any, artifact: Any, value: Any, calls: int) -> Figure:
    """Both in turns."""
    ours, plain, reading = Series(), Series(), Series()
    for _ in range(calls):
        with ours.timed():
            computed = function(artifact)
            computed.get()
        with reading.timed():
            computed.get()
        with plain.timed():
            function.__wrapped__(value)
    more = f"{duration(ours.median - plain.median)} more"
    return Figure(f"{what} (another .get(): {duration(reading.median)})", str(ours), str(plain), more)
