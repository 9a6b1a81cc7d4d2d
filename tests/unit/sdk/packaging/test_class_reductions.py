"""Classes of a script in a process that does not know the script."""

from __future__ import annotations

import enum
import sys
from pathlib import Path

import pytest

from aqueduct_provider.sdk.packaging.class_reductions import class_method_getter, corrected
from aqueduct_provider.sdk.packaging.pickling import pickled
from tests.support.user_projects import Project, Refused

SCRIPT = """
    import abc
    import dataclasses
    import enum
    import functools
    import typing
    import weakref

    T = typing.TypeVar("T")
    P = typing.ParamSpec("P")
    Name = typing.NewType("Name", str)

    class Row(typing.TypedDict):
        a: int

    class Wide(Row):
        b: int

    class Partial(Row, total=False):
        c: int

    Odd = typing.TypedDict("Odd", {"a b": int})

    class Box(typing.TypedDict, typing.Generic[T]):
        value: T

    def typed_dicts():
        made = [Wide(a=1, b=2), Partial(a=1), Odd({"a b": 3}), Box(value=4)]
        return [made, sorted(Wide.__required_keys__), sorted(Partial.__optional_keys__),
                list(typing.get_type_hints(Wide)), typing.is_typeddict(Partial)]

    class Planet(enum.Enum):
        EARTH = (2, 3)
        TERRA = EARTH

        def __init__(self, mass, radius):
            self.gravity = mass * radius

    class Level(str, enum.Enum):
        def __new__(cls, value, label):
            made = str.__new__(cls, value)
            made._value_ = value
            made.label = label
            return made

        LOW = ("low", "Low")

    class Right(enum.Flag):
        READ = enum.auto()
        WRITE = enum.auto()
        ALL = READ | WRITE

    @dataclasses.dataclass
    class Mixin:
        number: int

    class Mixed(Mixin, enum.Enum):
        ONE = 1

    def enums():
        return [Planet.EARTH.gravity, Planet["TERRA"] is Planet.EARTH, Level("low").label, Level.LOW + "er",
                Right["ALL"].name, Mixed.ONE.number]

    class Private:
        __slots__ = ("__hidden", "open")

        def __init__(self):
            self.__hidden, self.open = 5, 6

        def both(self):
            return [self.__hidden, self.open]

    class Outer:
        class Inner:
            pass

    class Pair(typing.NamedTuple, typing.Generic[T]):
        left: T

    class Registered:
        known = {}

        def __init_subclass__(cls, *, label):
            Registered.known[cls.key] = cls.__name__
            cls.label = label

    class Child(Registered, label="l"):
        key = "c"

    class Grandchild(Child, label="g"):
        key = "g"

    def others():
        class Late(Child, label="late"):
            key = "late"

        return [Private().both(), Outer.Inner.__qualname__, Pair[int](1).left, Grandchild.label, Child.label,
                Registered.known]

    def named(value: Name) -> Name:
        return Name(value)

    def typed(call: typing.Callable[P, T]) -> str:
        return P.__name__ + Name.__name__ + Name(named("x"))

    @functools.singledispatch
    def kind(value):
        return "any"

    @kind.register
    def _(value: int):
        return "int"

    KNOWN = weakref.WeakValueDictionary()
    kind(1)

    def dispatched():
        return [kind(1), kind("x"), len(KNOWN)]

    class Changed(bytes, enum.Enum):
        def __new__(cls, value, label):
            made = bytes.__new__(cls, [value])
            made._value_ = value
            return made

        A = (1, "a")

    def refused():
        return Changed.A
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.mark.parametrize(
    ("call", "inputs", "expected"),
    [
        (
            "typed_dicts",
            [],
            [[{"a": 1, "b": 2}, {"a": 1}, {"a b": 3}, {"value": 4}], ["a", "b"], ["c"], ["a", "b"], True],
        ),
        ("enums", [], [6, True, "Low", "lower", "ALL", 1]),
        (
            "others",
            [],
            [[5, 6], "Outer.Inner", 1, "g", "l", {"c": "Child", "g": "Grandchild", "late": "Late"}],
        ),
        ("typed", [None], "PNamex"),
        ("dispatched", [], ["int", "any", 0]),
    ],
)
def test_they_are_what_they_are_here(
    project: Project, call: str, inputs: list[object], expected: object
) -> None:
    assert project.run(project.package(SCRIPT, call), *inputs) == expected


def test_an_enum_that_could_not_be_made_again_is_refused(project: Project) -> None:
    with pytest.raises(
        Refused, match=r"'refused' cannot be pickled: the variable 'Changed'.*__new__ of the enum"
    ):
        project.package(SCRIPT, "refused")


def test_using_a_class_does_not_change_its_bytes() -> None:
    class Point:
        pass

    before = pickled(Point).data
    pickled(Point())
    assert not Point.__annotations__
    assert "__slotnames__" in vars(Point)
    assert pickled(Point).data == before


def test_what_is_no_class_of_ones_own_is_left_alone() -> None:
    assert corrected(int, NotImplemented) is NotImplemented
    assert class_method_getter(corrected) is None  # type: ignore[arg-type]
    assert sys.modules[enum.Enum.__module__] is enum
