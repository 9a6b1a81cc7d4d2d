"""What type checkers know of values: the type variables of operators and artifacts.

Those with a default are made by ``typing_extensions``, which only type checkers read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, final

if TYPE_CHECKING:
    import typing_extensions


@final
class Untyped:
    """The class of no value: among overloads, only what a function without annotation returns fits it."""


class Frame(Protocol):
    """A table of any library: pandas, polars and pyarrow have no base class in common."""

    @property
    def columns(self) -> Any:
        """Its columns, or their names."""
        ...

    @property
    def shape(self) -> Any:
        """How many rows and columns there are."""
        ...


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result", covariant=True)
# Several values of one call.
First = TypeVar("First")
Second = TypeVar("Second")
Third = TypeVar("Third")
Fourth = TypeVar("Fourth")
# Variables, not their bounds: only then does mypy take the first of several overloads for what is Any.
AnyValue = TypeVar("AnyValue")
UntypedValue = TypeVar("UntypedValue", bound=Untyped)
BoolValue = TypeVar("BoolValue", bound=bool)
NumberValue = TypeVar("NumberValue", bound=float)
FrameValue = TypeVar("FrameValue", bound=Frame)
OtherFrameValue = TypeVar("OtherFrameValue", bound=Frame)

if TYPE_CHECKING:
    Value = typing_extensions.TypeVar("Value", covariant=True, default=Any)
    Table = typing_extensions.TypeVar("Table", covariant=True, default=Any)
    Number = typing_extensions.TypeVar("Number", covariant=True, default=float)
else:
    Value = TypeVar("Value", covariant=True)
    Table = TypeVar("Table", covariant=True)
    Number = TypeVar("Number", covariant=True)
