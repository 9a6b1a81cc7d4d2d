"""Send requests that do not depend on each other at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# Requests to a store, or to Airflow, at the same time.
REQUESTS = 16


def together(calls: Sequence[Callable[[], T]], workers: int = REQUESTS) -> list[T]:
    """Make all calls at the same time and give their results in order.

    :param workers: how many run at once, at most.
    :raises Exception: the first error in the order of ``calls``, once all calls have ended.
    """
    if len(calls) <= 1 or workers <= 1:
        return [call() for call in calls]
    with ThreadPoolExecutor(max_workers=min(workers, len(calls))) as pool:
        futures = [pool.submit(call) for call in calls]
    return [future.result() for future in futures]
