"""How much time a parse has, and what is kept of the specs that had no turn."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aqueduct_provider import config
from aqueduct_provider.factory.turns import Turns, keep_left_out, left_out


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder of its own: a busy machine leaves specs of other tests without a turn."""
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def timer() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, 1000)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


def test_without_a_limit_of_airflow_there_is_none() -> None:
    turns = Turns.begin()
    assert turns.seconds == math.inf
    assert turns.each == 5
    assert not turns.are_over()


@pytest.mark.usefixtures("timer")
def test_half_of_what_is_left_of_airflows_time() -> None:
    turns = Turns.begin()
    assert 450 < turns.seconds <= 500
    assert turns.each == 5
    assert not turns.are_over(reading=True)


@pytest.mark.parametrize(
    ("passed", "reading", "over"), [(4, True, False), (6, True, True), (6, False, False)]
)
def test_reading_has_half_of_it(passed: float, reading: bool, over: bool) -> None:
    turns = Turns(time.monotonic() - passed, 10)
    assert turns.are_over(reading=reading) is over


def test_all_of_it_ends() -> None:
    assert Turns(time.monotonic() - 11, 10).are_over()


def test_one_spec_has_a_quarter_of_little_time() -> None:
    assert Turns(0, 10).each == 2.5


def test_what_had_no_turn_is_kept_for_the_next_parse_of_the_same_loader() -> None:
    keep_left_out("/dags/one.py", ["b.json", "\udcff.json", "a.json"])
    assert left_out("/dags/one.py") == ["b.json", "\udcff.json", "a.json"]
    assert left_out("/dags/other.py") == []
    keep_left_out("/dags/one.py", [])
    assert left_out("/dags/one.py") == []
    assert list((config.cache_dir() / "turns").iterdir()) == []


def test_what_cannot_be_kept_is_no_reason_to_show_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__CACHE_DIR", str(tmp_path / "file" / "below"))
    keep_left_out("/dags/one.py", ["b.json"])
    assert left_out("/dags/one.py") == []


@pytest.mark.parametrize("content", [b"", b"{", b"5", b"\xff"])
def test_what_is_damaged_counts_as_nothing(content: bytes) -> None:
    keep_left_out("/dags/one.py", ["b.json"])
    (kept,) = (config.cache_dir() / "turns").iterdir()
    kept.write_bytes(content)
    assert left_out("/dags/one.py") == []
