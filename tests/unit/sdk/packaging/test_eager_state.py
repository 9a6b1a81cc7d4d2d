"""What runs make of variables, and what users do."""

from __future__ import annotations

import threading
import types
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from aqueduct_provider.sdk.packaging.eager_state import (
    Absent,
    Print,
    Variable,
    Watch,
    before_runs,
    content_of,
)


def space(**values: Any) -> dict[str, Any]:
    """Globals of a module."""
    return values


def watched(names: dict[str, Any], *, whole: bool = False) -> Watch:
    return Watch([Variable(names, name) for name in names], [names] if whole else [])


def published(names: dict[str, Any], name: str) -> Any:
    return before_runs(names, name, names.get(name, Absent))


class Machine:
    def __init__(self) -> None:
        self.parts = ["wheel"]


def mutate_dict(value: dict[str, int]) -> None:
    value["n"] += 1


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ({"n": 0}, mutate_dict),
        ([1, 2], lambda value: value.append(3)),
        ({1}, lambda value: value.add(2)),
        (numpy.zeros(3), lambda value: value.__setitem__(0, 7)),
        (numpy.asfortranarray(numpy.zeros((200, 100))), lambda value: value.__setitem__((0, 0), 7)),
        (Machine(), lambda value: value.parts.append("belt")),
    ],
    ids=["dict", "list", "set", "array", "large array", "object"],
)
def test_what_a_run_makes_of_a_value_is_forgotten(value: Any, change: Callable[[Any], object]) -> None:
    names = space(value=value)
    before = Print(value)
    with watched(names).run():
        change(value)
    assert not before.is_of(value)
    assert before.is_of(published(names, "value"))
    with watched(names).run():
        change(value)
    assert before.is_of(published(names, "value"))
    assert names["value"] is value


def test_a_run_that_changes_nothing_leaves_the_value_itself() -> None:
    names = space(value=[1])
    with watched(names).run():
        assert names["value"] == [1]
    assert published(names, "value") is names["value"]


def test_what_is_changed_back_is_as_before() -> None:
    names = space(count=0)
    with watched(names).run():
        names["count"] = 1
    assert published(names, "count") == 0
    with watched(names).run():
        names["count"] = 0
    assert published(names, "count") == 0
    names["count"] = 1
    assert published(names, "count") == 1


def test_what_the_user_makes_of_it_counts() -> None:
    names = space(value={"n": 0}, other=1)
    with watched(names).run():
        names["value"]["n"] = 1
    names["value"]["n"] = 10
    assert published(names, "value") == {"n": 10}
    with watched(names).run():
        names["value"]["n"] = 11
    names["other"] = 2
    assert published(names, "value") == {"n": 10}
    assert published(names, "other") == 2


def test_a_variable_that_a_run_makes_or_deletes() -> None:
    names = space(old=1)
    watch = Watch([Variable(names, "old"), Variable(names, "new")], [])
    with watch.run():
        names["new"] = names.pop("old")
    assert published(names, "new") is Absent
    assert published(names, "old") == 1
    names["new"] = 5
    assert published(names, "new") == 5


def test_new_names_of_whole_modules_and_classes() -> None:
    names, kind = space(), type("Kind", (), {})
    with Watch([], [names, kind]).run():
        names["cache"] = {}
        kind.cache = {}  # type: ignore[attr-defined]
    assert published(names, "cache") is Absent
    assert before_runs(kind, "cache", kind.cache) is Absent  # type: ignore[attr-defined]


def test_what_cannot_be_pickled_afterwards() -> None:
    names = space(connection=None)
    with watched(names).run():
        names["connection"] = threading.Lock()
    assert published(names, "connection") is None
    mine = names["connection"] = threading.Lock()
    assert published(names, "connection") is mine


def test_what_could_never_be_pickled_is_left_alone() -> None:
    names = space(lock=threading.Lock(), count=0)
    watch = watched(names)
    assert watch.content == b""
    with watch.run():
        names["count"] = 1
    assert published(names, "count") == 0
    assert published(names, "lock") is names["lock"]


def test_values_that_share_an_object_share_its_copy() -> None:
    shared = [0]
    names = space(one=shared, two={"of": shared})
    with watched(names).run():
        shared.append(1)
    one, two = published(names, "one"), published(names, "two")
    assert one == [0]
    assert two["of"] is one


def test_functions_and_classes_stay_themselves() -> None:
    names = space(table={"of": mutate_dict, "kind": Machine, "made": Machine()})
    with watched(names).run():
        names["table"]["new"] = 1
    found = published(names, "table")
    assert found["of"] is mutate_dict
    assert found["kind"] is type(found["made"]) is Machine
    assert "new" not in found


def test_cells_functions_and_values_themselves() -> None:
    cell, machine = types.CellType(1), Machine()

    def function(given: list[int] = []) -> None:  # noqa: B006
        given.append(1)

    variables = [Variable(cell, "cell_contents"), Variable(function, "__defaults__"), Variable(machine, "")]
    with Watch(variables, []).run():
        cell.cell_contents = 2
        function()
        machine.parts.clear()
    assert before_runs(cell, "cell_contents", 2) == 1
    assert before_runs(function, "__defaults__", function.__defaults__) == ([],)
    assert before_runs(machine, "", machine).parts == ["wheel"]
    assert Variable(types.CellType(), "cell_contents").value() is Absent


def test_a_run_in_another_thread_does_not_show() -> None:
    names = space(count=[0])
    changed, seen = threading.Event(), threading.Event()

    def run() -> None:
        with watched(names).run():
            names["count"].append(1)
            changed.set()
            seen.wait(10)

    thread = threading.Thread(target=run)
    thread.start()
    changed.wait(10)
    during = published(names, "count")
    with watched(names).run():
        names["count"].append(2)
    seen.set()
    thread.join()
    assert during == published(names, "count") == [0]


def test_content_is_without_what_runs_made() -> None:
    names = space(value=[1])
    variables = [Variable(names, "value")]
    before = content_of(variables)
    with Watch(variables, []).run():
        names["value"].append(2)
    assert content_of(variables) == before
    names["value"].append(3)
    assert content_of(variables) != before
    names["value"] = threading.Lock()
    assert content_of(variables) == b""
