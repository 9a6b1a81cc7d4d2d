from __future__ import annotations

import functools
import io
import os
import pickle
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk.authoring import presets
from aqueduct_provider.sdk.enums import CheckSeverity
from aqueduct_provider.sdk.packaging.local_modules import pickled_by_value
from aqueduct_provider.sdk.packaging.pickling import home_of, is_ours, pickled
from tests.support.user_projects import Project

# Everything whose order or identity may differ between two processes.
SCRIPT = """
    import abc
    import dataclasses
    import enum
    import functools
    import typing

    import helpers

    WORDS = {"alpha", "beta", "gamma", "delta", 1, 2.5, None, ("a", frozenset({"x", "y", "z"}))}
    FROZEN = frozenset({"one", "two", "three"})
    NESTED = {"key": [{"p", "q", "r"}], "other": helpers.names("s", "t", "u")}
    T = typing.TypeVar("T")

    class Color(enum.Enum):
        RED = "red"
        BLUE = "blue"

    class Base(abc.ABC):
        @abc.abstractmethod
        def name(self): ...

    @dataclasses.dataclass(frozen=True)
    class Point(Base):
        x: int
        tags: frozenset = frozenset({"k", "l", "m"})
        more: list = dataclasses.field(default_factory=list)
        made_by: object = helpers.total

        def name(self):
            return super().__class__.__name__

    Pair = typing.NamedTuple("Pair", [("left", int), ("right", int)])

    def made(kind):
        class Local:
            value = kind
            def get(self): return self.value
        return Local

    ONE, TWO = made({"a", "b", "c"}), made(2)

    @functools.lru_cache
    def cached(x): return x if x < 1 else cached(x - 1)

    def outer(options):
        def inner(x, *, extra={"d", "e", "f"}):
            return x in options, x in {"alpha", "beta", "gamma"}, x in ("alpha", "beta")
        return inner

    def train(x: T, color=Color.RED) -> T:
        \"\"\"A text that is not interned.\"\"\"
        point = Point(1)
        assert isinstance(point, Base) and point == dataclasses.replace(point)
        both = [ONE().get() == {"a", "b", "c"}, TWO().get()]
        found = [x in WORDS, x in FROZEN, x in NESTED["key"][0], cached(3), *outer(WORDS)(x)]
        return [*found, *both, color is Color.RED, Pair(1, 2).right, (lambda: helpers.total(2))()]
"""
HELPERS = """
    ALLOWED = {"v", "w", "x"}

    class Counter:
        def __init__(self): self.seen = {"m", "n", "o"}

    def names(*values): return set(values)
    def total(x): return x + len(ALLOWED) + len(Counter().seen) + ("own text" in {"q", "own text"})
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project")
    project.write("helpers.py", HELPERS)
    return project


def loaded(value: object) -> Any:
    return pickle.loads(pickled(value).data)


def local(name: str, text: str) -> types.ModuleType:
    """An imported module with this text."""
    module = sys.modules[name] = types.ModuleType(name)
    exec(text, vars(module))
    return module


@pytest.fixture
def module() -> Iterator[Callable[[str, str], types.ModuleType]]:
    before = set(sys.modules)
    yield local
    for name in set(sys.modules) - before:
        del sys.modules[name]


# --- the same bytes in every process


def test_hash_seeds_and_cached_modules_change_nothing(project: Project) -> None:
    # In the first process helpers.py is compiled, in the others it comes from its .pyc file.
    keep: dict[str, str] = {"PYTHONDONTWRITEBYTECODE": ""}
    archives = {
        project.package(SCRIPT, "train", PYTHONHASHSEED=seed, **keep) for seed in ("1", "2", "3", "77")
    }
    assert (project.folder / "__pycache__").is_dir()
    assert len(archives) == 1
    expected = [True, False, False, 0, True, True, True, True, 2, True, 2, 9]
    assert project.run(archives.pop(), "alpha") == expected


@pytest.mark.parametrize(
    "call", ["lambda x: x in {'a', 'b', 'c'}", "made", "functools.partial(outer, WORDS)"]
)
def test_other_callables_too(project: Project, call: str) -> None:
    assert (
        len({project.package(SCRIPT, call, name="f", PYTHONHASHSEED=seed) for seed in ("1", "2", "3")}) == 1
    )


def test_what_was_done_before_changes_nothing() -> None:
    def train(x: Any) -> Any:
        return x in {"a", "b"}, Path, os.path

    first = pickled(train).data
    for number in range(50):
        train(number)
    cloudpickle.dumps(train)
    assert pickled(train).data == first


@pytest.mark.parametrize(
    "names",
    [
        ("/tmp/ipykernel_11/305.py", "/tmp/ipykernel_22/305.py"),
        ("<ipython-input-1-ab>", "<ipython-input-7-ab>"),
    ],
)
def test_a_notebooks_process_and_prompt_are_left_out(names: tuple[str, str]) -> None:
    def in_cell(file: str) -> Any:
        namespace: dict[str, Any] = {}
        exec(compile("def f(x): return x", file, "exec"), namespace)
        return namespace["f"]

    first, second = (pickled(in_cell(file)).data for file in names)
    assert first == second


# --- what is written otherwise than by cloudpickle


@pytest.mark.parametrize(
    "value",
    [
        set(),
        {1},
        {"a", 1, None, (1, "b"), frozenset({"x", "y"})},
        frozenset({frozenset({1, 2}), frozenset()}),
        [{"a"}, {"b": {2, 3}}],
        "text" * 100_000,
        [b"bytes", bytearray(b"more"), "bytes"],
        {"a": ["same text", "same " + "text".lower()]},
        (1, 2.5, True, None, ...),
    ],
)
def test_values_come_back(value: object) -> None:
    assert loaded(value) == value


def test_a_set_that_holds_itself_indirectly() -> None:
    seen: set[Any] = set()

    def here() -> Any:
        return seen

    seen |= {here, "a"}
    again = loaded(here)
    assert again() == {again, "a"}


def test_deep_values_are_written_all_the_same() -> None:
    limit = sys.getrecursionlimit()
    value: list[Any] = []
    for _ in range(1500):
        value = [value]
    data = pickled(value).data
    assert sys.getrecursionlimit() == limit
    depth, inner = 0, pickle.loads(data)
    while inner:
        depth, inner = depth + 1, inner[0]
    assert depth == 1500


def test_a_module_travels_whole_without_what_the_import_system_keeps(
    module: Callable[[str, str], types.ModuleType],
) -> None:
    helpers = module(
        "own_helpers", "import own_helpers\nFACTOR = 2\ndef twice(x): return own_helpers.FACTOR * x"
    )
    helpers.__spec__, helpers.__loader__ = threading.Lock(), threading.Lock()  # type: ignore[assignment]
    with pickled_by_value(["own_helpers"]):
        done = pickled(lambda x: helpers.twice(x), ["own_helpers"])
    assert done.modules == (helpers,)
    del sys.modules["own_helpers"]
    assert pickle.loads(done.data)(21) == 42


def test_a_modules_names_for_this_package_are_left_out(
    module: Callable[[str, str], types.ModuleType],
) -> None:
    helpers = module("own_flow", "import aqueduct_provider.sdk as aq\ndef twice(x): return 2 * x")
    with pickled_by_value(["own_flow"]):
        done = pickled(lambda x: helpers.twice(x), ["own_flow"])
    assert done.left_out == ((helpers, "aq"),)
    assert pickle.loads(done.data)(2) == 4


def test_cached_functions_of_local_modules_travel(module: Callable[[str, str], types.ModuleType]) -> None:
    text = "import functools\n@functools.lru_cache(7)\ndef fib(n): return n if n < 2 else fib(n-1) + fib(n-2)"
    fib = module("own_cached", text).fib
    assert fib(20) == 6765
    with pickled_by_value(["own_cached"]):
        data = pickled(fib, ["own_cached"]).data
    del sys.modules["own_cached"]
    again = pickle.loads(data)
    assert again.cache_info().currsize == 0
    assert (again(20), again.cache_info().maxsize, again.__name__) == (6765, 7, "fib")
    # Those that are installed are imported.
    assert pickle.loads(pickled(functools.lru_cache).data) is functools.lru_cache


def test_cached_properties_travel() -> None:
    class Table:
        @functools.cached_property
        def rows(self) -> int:
            return 3

    again = loaded(lambda: Table().rows)
    assert again() == 3


def test_an_open_file_is_refused_but_not_the_standard_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "file.txt").open("w+") as file:
        with pytest.raises(pickle.PicklingError, match=r"open file .*file\.txt"):
            pickled(lambda: file)
        monkeypatch.setattr(sys, "stdout", file)
        assert loaded(sys.stdout) is file


def test_functions_that_travel_are_told() -> None:
    def helper() -> None:
        """Does nothing."""

    class Table:
        def head(self) -> None:
            helper()

    def train() -> Any:
        return Table().head(), os.path.join, io.StringIO

    assert {function.__name__ for function in pickled(train).functions} == {"train", "head", "helper"}


def test_a_pickle_is_as_good_as_cloudpickles_own() -> None:
    def train(x: int, *rest: int, scale: int = 2, **more: int) -> int:
        """Doc."""
        return scale * (x + sum(rest)) + sum(more.values())

    train.note = "text"  # type: ignore[attr-defined]
    ours, theirs = loaded(train), pickle.loads(cloudpickle.dumps(train))
    assert ours(1, 2, scale=3, y=4) == theirs(1, 2, scale=3, y=4) == 13
    for name in (
        "__name__",
        "__qualname__",
        "__module__",
        "__doc__",
        "__kwdefaults__",
        "__annotations__",
        "note",
    ):
        assert getattr(ours, name) == getattr(theirs, name) == getattr(train, name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (aq, True),
        (aq.op, True),
        (CheckSeverity.ERROR, True),
        (CheckSeverity, True),
        (presets, False),
        (presets.number_of_rows, False),
        (os, False),
        (3, False),
    ],
)
def test_what_belongs_to_this_package(value: object, expected: bool) -> None:
    assert is_ours(value) is expected


def test_a_value_is_not_asked_where_it_comes_from() -> None:
    class Proxy:
        @property
        def __class__(self) -> Any:
            raise RuntimeError("outside of a request")

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("outside of a request")

    assert home_of(Proxy()) == __name__
    assert not is_ours(Proxy())


def test_generic_aliases_and_functions_with_them() -> None:
    def train(rows: list[int]) -> dict[str, set[int]]:
        return {"rows": set(rows)}

    train.__annotations__ = {"rows": list[int], "return": dict[str, set[int]]}
    again = loaded(train)
    assert again.__annotations__ == train.__annotations__
    assert again([1, 1]) == {"rows": {1}}


def test_what_others_do_to_pickles_own_table_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = pickled(test_deep_values_are_written_all_the_same).data

    def never(*_: object) -> None:
        raise AssertionError("dill writes")

    # As importing dill does.
    for kind in (type, dict, types.FunctionType, type(threading.Lock()), types.ModuleType):
        monkeypatch.setitem(pickle._Pickler.dispatch, kind, never)
    assert pickled(test_deep_values_are_written_all_the_same).data == before


def test_a_function_keeps_its_file_for_tracebacks() -> None:
    def fails() -> None:
        raise ValueError

    loaded = pickle.loads(pickled(fails).data)
    assert loaded.__code__.co_filename == __file__
