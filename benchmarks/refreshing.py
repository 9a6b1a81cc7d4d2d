"""Refreshes of a bundle in a process of its own: ``python -m benchmarks.refreshing``, with an :class:`Order`
as JSON on standard input; prints a :class:`Report`.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import chains
from benchmarks.figures import Series


@dataclass(frozen=True)
class Order:
    """What is to be done.

    :param log: of the server, with a line for each request.
    :param endpoint, bucket, prefix: where the specs lie.
    :param times: how often each kind of refresh is measured.
    """

    log: str
    endpoint: str
    bucket: str
    prefix: str
    specs: int
    times: int


@dataclass
class Report:
    """Seconds of each refresh, and the requests of the last: method -> number; lists count as LIST.

    :param listing: of the same list, by boto3 alone.
    """

    unchanged: list[float] = field(default_factory=list)
    changed: list[float] = field(default_factory=list)
    listing: list[float] = field(default_factory=list)
    unchanged_requests: dict[str, int] = field(default_factory=dict)
    changed_requests: dict[str, int] = field(default_factory=dict)


def measure(order: Order) -> Report:
    """Refresh with nothing changed and with one spec changed, in turns."""
    from aqueduct_provider.bundles import AqueductDagBundle

    client = _client(order)
    bundle = AqueductDagBundle(name="aq", connection_id="aqueduct_default", prefix=order.prefix)
    bundle.initialize()
    stubs = len(list(bundle.path.glob("*.py")))
    if stubs != order.specs:
        raise ValueError(f"{stubs} stubs instead of {order.specs}")
    report = Report()
    log = Path(order.log)
    # The first refresh after a change looks at more; its like is not measured twice.
    bundle.refresh()
    for number in range(order.times):
        report.listing += _timed(lambda: _list(client, order))
        report.unchanged_requests = _requests(log, report.unchanged, bundle.refresh)
        before = bundle.get_current_version()
        key = f"{order.prefix}{chains.dag_id(number)}.json"
        client.put_object(Bucket=order.bucket, Key=key, Body=json.dumps(chains.described(number)))
        report.changed_requests = _requests(log, report.changed, bundle.refresh)
        if bundle.get_current_version() == before:
            raise ValueError("the change was not seen")
    return report


def _requests(log: Path, seconds: list[float], refresh: Callable[[], Any]) -> dict[str, int]:
    before = len(log.read_text().splitlines())
    seconds += _timed(refresh)
    made = log.read_text().splitlines()[before:]
    return dict(Counter("LIST" if "list-type=2" in line else line.split()[0] for line in made))


def _timed(work: Callable[[], Any]) -> list[float]:
    series = Series()
    with series.timed():
        work()
    return series.values


def _list(client: Any, order: Order) -> int:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=order.bucket, Prefix=order.prefix)
    return sum(len(page.get("Contents", [])) for page in pages)


def _client(order: Order) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=order.endpoint,
        region_name="us-east-1",
        aws_access_key_id="benchmark",
        aws_secret_access_key="benchmark",
    )


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(measure(Order(**json.load(sys.stdin))))))
