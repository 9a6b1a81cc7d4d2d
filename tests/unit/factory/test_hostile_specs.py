"""A spec that takes long, whatever makes it slow, hides none of the others."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider import DagFactory
from aqueduct_provider.factory import load_dags, turns
from aqueduct_provider.factory.placeholder_dag import PREFIX
from aqueduct_provider.spec import document
from tests.support.example_specs import FLOW_ID, call_operator, native_document, small_document
from tests.unit.factory.test_load_dags import dag_bag

Write = Callable[[str, Any], Path]
GOOD = {f"flow{number:03}" for number in range(200)}
HOSTILE = "aaa.json"
PLACEHOLDER = f"{PREFIX}{HOSTILE}"


@pytest.fixture
def good(write: Write) -> None:
    for name in GOOD:
        write(f"{name}.json", small_document(name))


def hostile(**overrides: Any) -> Any:
    return native_document(dag_id="hostile", flow={"id": FLOW_ID, "name": "hostile"}, **overrides)


def with_requirement(line: str) -> Any:
    spec = hostile()
    spec["operators"][1]["code"]["requirements"] = [line]
    return spec


def with_operators(count: int) -> Any:
    operators = [
        {**call_operator(f"t{index}", inputs=[]), "after": [f"t{index - 1}"] if index else []}
        for index in range(count)
    ]
    artifacts = [{"id": f"t{index}-value", "name": f"t{index}"} for index in range(count)]
    return hostile(operators=operators, artifacts=artifacts, parameters=[])


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (with_requirement("a" + " " * 2_800_000 + "==1"), "at most 4000 characters"),
        (with_requirement("a" + " " * 1990 + "#"), ""),
        (with_requirement("a; " + "(" * 1900), "more than 50 parentheses"),
        (hostile(operators=[1] * 200_000), "must be an object"),
        ({"spec_version": 1, **{f"field{number}": 1 for number in range(250_000)}}, "unknown field"),
        ('{"spec_version": 1, "x": [' + "[]," * 5_000_000 + "1]}", "300,000 values"),
        ('{"spec_version": 1, "x": "' + "`" * 15_000_000 + '"}', "unknown field"),
    ],
)
def test_all_others_and_one_placeholder(folder: Path, write: Write, spec: Any, message: str) -> None:
    write(HOSTILE, spec)
    bag = dag_bag(folder)
    assert bag.import_errors == {}
    (other,) = bag.dags.keys() - GOOD
    assert bag.dags.keys() >= GOOD
    if message:
        assert other == PLACEHOLDER
        assert message in " ".join(bag.dags[other].doc_md.split())


# The end of the time may fall into a callback of the garbage collector, such as Hypothesis's; it is repeated.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("name", [HOSTILE, "zzz.json"])
def test_a_spec_that_computes_too_long_is_shown_as_such(
    folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # Whatever the first spec has to import counts as its own time.
    assert set(dag_bag(folder).dags) == GOOD
    write(name, with_operators(5000))
    monkeypatch.setattr(turns, "SECONDS", 0.3)
    bag = dag_bag(folder)
    assert set(bag.dags) == {*GOOD, PREFIX + name}
    shown = " ".join(bag.dags[PREFIX + name].doc_md.split())
    assert "no DAG could be made of it within 0.3 s of computing" in shown
    assert "split the flow" in shown


def test_a_task_whose_dag_id_a_slow_spec_mentions(
    folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch, task_of: Callable[[str], None]
) -> None:
    write("other_name.json", small_document("good"))
    assert set(DagFactory.dags_in(folder)) == {"good"}
    slow = with_operators(5000)
    slow["flow"]["description"] = "good"
    write(HOSTILE, slow)
    monkeypatch.setattr(turns, "SECONDS", 0.3)
    task_of("good")
    assert set(DagFactory.dags_in(folder)) == {"good"}


def test_large_specs_come_last(folder: Path, write: Write) -> None:
    large = small_document("aaa")
    large["flow"]["description"] = "x" * 300_000
    larger = small_document("aab")
    larger["flow"]["description"] = "x" * 400_000
    for name, spec in {
        "aab": larger,
        "aaa": large,
        "b": small_document("b"),
        "c": small_document("c"),
    }.items():
        write(f"{name}.json", spec)
    assert list(DagFactory.dags_in(folder)) == ["b", "c", "aaa", "aab"]


def test_many_files_are_read_at_once(folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"flow{number}" for number in range(20)}
    for name in names:
        write(f"{name}.json", small_document(name))
    # On a disk that answers nobody before two have asked.
    two = threading.Barrier(2)

    def slow(path: Path) -> bytes:
        # The last of an odd number of readers waits alone.
        if path.name in ("flow0.json", "flow9.json"):
            two.wait(30)
        return document.content(path)

    monkeypatch.setattr(load_dags, "content", slow)
    assert set(DagFactory.dags_in(folder)) == names


# --- too many for the time that Airflow gives


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Twenty seconds for a parse, in which each look at the clock takes one."""
    seconds = itertools.count()
    monkeypatch.setattr(turns.time, "monotonic", lambda: float(next(seconds)))
    signal.setitimer(signal.ITIMER_REAL, 40)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.mark.usefixtures("ticking")
def test_what_had_no_turn_is_first_the_next_time(
    folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch, task_of: Callable[[str], None]
) -> None:
    names = {f"flow{number:02}" for number in range(30)}
    for name in names:
        write(f"{name}.json", small_document(name))
    left = f"{PREFIX}aqueduct_left_out"
    first = DagFactory.dags_in(folder)
    assert left in first
    assert 5 < len(first) < 15
    shown = " ".join(first[left].doc_md.split())
    assert f"{31 - len(first)} of 30 specs had no turn" in shown
    assert "dagbag_import_timeout" in shown
    assert "flow20.json, " in shown
    seen = set(first)
    for _ in range(3):
        seen |= set(DagFactory.dags_in(folder))
    assert seen == names | {left}
    task_of(left)
    assert set(DagFactory.dags_in(folder)) == {left}
    monkeypatch.undo()
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert set(DagFactory.dags_in(folder)) == names
    assert turns.left_out(str(Path(__file__))) == []
