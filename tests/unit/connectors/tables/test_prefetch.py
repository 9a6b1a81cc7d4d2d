"""What is read ahead: all of it, in order, not too much of it, and no longer than it is wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from aqueduct_provider.connectors.tables.prefetch import _WAITING, read_ahead
from tests.integration.waiting import wait_for


def test_the_same_items_in_the_same_order() -> None:
    assert list(read_ahead(range(1000))) == list(range(1000))
    assert list(read_ahead([])) == []
    assert list(read_ahead([None, 0, ""])) == [None, 0, ""]


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ConnectionError("gone")

    ahead = read_ahead(items())
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(ConnectionError, match="gone"):
        next(ahead)


def test_only_a_few_wait() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    ahead = read_ahead(items())
    assert next(ahead) == 0
    wait_for(lambda: len(made) >= _WAITING + 2, what="items that wait", seconds=20, pause=0.01)
    assert not threading.Event().wait(0.3)
    # One is in use, one in the reader's hands.
    assert len(made) == _WAITING + 2
    ahead.close()  # type: ignore[attr-defined]


def test_who_stops_stops_the_reader() -> None:
    before = threading.active_count()
    ahead = read_ahead(iter(range(10**9)))
    next(ahead)
    assert threading.active_count() == before + 1
    ahead.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
