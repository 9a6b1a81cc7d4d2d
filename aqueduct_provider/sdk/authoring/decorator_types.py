"""The types of the decorators: a function with its arguments -> an operator with the artifacts of its calls.

Python's types cannot map the type of a value to the class of its artifact, so overloads do. The first of each
row is for functions whose return type is not known. Nothing here is used when a flow runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol, TypeAlias, overload

from aqueduct_provider.sdk.authoring.calls import Operator
from aqueduct_provider.sdk.authoring.requirements import Requirements
from aqueduct_provider.sdk.authoring.value_types import (
    AnyValue,
    Arguments,
    BoolValue,
    First,
    Fourth,
    FrameValue,
    NumberValue,
    OtherFrameValue,
    Second,
    Third,
    UntypedValue,
)
from aqueduct_provider.sdk.keywords import RunOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack

    from aqueduct_provider.sdk.authoring.artifacts import (
        Artifact,
        BoolArtifact,
        GenericArtifact,
        NumericArtifact,
        TableArtifact,
    )

# What a decorator takes in its parentheses.
Options = ParamSpec("Options")
# How many outputs are several: types have no "more than one".
Several: TypeAlias = Literal[2, 3, 4, 5, 6, 7, 8, 9]


class OutputOptions(RunOptions, total=False):
    """What ``op`` takes by name, but for its outputs."""

    description: str | None
    engine: None
    file_dependencies: Sequence[str] | None
    requirements: Requirements
    resources: Mapping[str, Any] | None
    image: None


class OpDecorator(Protocol[Options]):
    """Make operators with one output, or take options first."""

    @overload
    def __call__(
        self, function: Callable[Arguments, UntypedValue], /
    ) -> Operator[Arguments, UntypedValue, Artifact[UntypedValue]]: ...
    @overload
    def __call__(
        self, function: Callable[Arguments, BoolValue], /
    ) -> Operator[Arguments, BoolValue, BoolArtifact]: ...
    @overload
    def __call__(
        self, function: Callable[Arguments, NumberValue], /
    ) -> Operator[Arguments, NumberValue, NumericArtifact[NumberValue]]: ...
    @overload
    def __call__(
        self, function: Callable[Arguments, FrameValue], /
    ) -> Operator[Arguments, FrameValue, TableArtifact[FrameValue]]: ...
    @overload
    def __call__(
        self, function: Callable[Arguments, AnyValue], /
    ) -> Operator[Arguments, AnyValue, GenericArtifact[AnyValue]]: ...
    # To mypy, these overlap the last, whose arguments are not known here.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self,
        name: str | None = None,
        *,
        num_outputs: Several,
        outputs: Sequence[str] | None = None,
        **options: Unpack[OutputOptions],
    ) -> SeveralOutputs: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, name: str | None = None, *, outputs: Sequence[str], **options: Unpack[OutputOptions]
    ) -> SeveralOutputs: ...
    @overload
    def __call__(self, *args: Options.args, **kwargs: Options.kwargs) -> OpDecorator[Options]: ...


class SeveralOutputs(Protocol):
    """Make operators with several outputs. A call returns a list; as a tuple, each has a type of its own."""

    @overload
    def __call__(
        self, function: Callable[Arguments, UntypedValue], /
    ) -> Operator[Arguments, UntypedValue, Any]: ...
    @overload
    def __call__(
        self, function: Callable[Arguments, tuple[FrameValue, OtherFrameValue]], /
    ) -> Operator[
        Arguments,
        tuple[FrameValue, OtherFrameValue],
        tuple[TableArtifact[FrameValue], TableArtifact[OtherFrameValue]],
    ]: ...
    @overload
    def __call__(
        self, function: Callable[Arguments, tuple[FrameValue, Second]], /
    ) -> Operator[
        Arguments, tuple[FrameValue, Second], tuple[TableArtifact[FrameValue], Artifact[Second]]
    ]: ...
    @overload
    def __call__(
        self, function: Callable[Arguments, tuple[First, Second]], /
    ) -> Operator[Arguments, tuple[First, Second], tuple[Artifact[First], Artifact[Second]]]: ...
    @overload
    def __call__(
        self, function: Callable[Arguments, tuple[First, Second, Third]], /
    ) -> Operator[
        Arguments, tuple[First, Second, Third], tuple[Artifact[First], Artifact[Second], Artifact[Third]]
    ]: ...
    @overload
    def __call__(
        self, function: Callable[Arguments, tuple[First, Second, Third, Fourth]], /
    ) -> Operator[
        Arguments,
        tuple[First, Second, Third, Fourth],
        tuple[Artifact[First], Artifact[Second], Artifact[Third], Artifact[Fourth]],
    ]: ...
    # One name in ``outputs`` is one output.
    @overload
    def __call__(
        self, function: Callable[Arguments, FrameValue], /
    ) -> Operator[Arguments, FrameValue, TableArtifact[FrameValue]]: ...
    @overload
    def __call__(self, function: Callable[Arguments, AnyValue], /) -> Operator[Arguments, AnyValue, Any]: ...


class MetricDecorator(Protocol[Options]):
    """Make metrics, or take options first."""

    @overload
    def __call__(
        self, function: Callable[Arguments, AnyValue], /
    ) -> Operator[Arguments, AnyValue, NumericArtifact[AnyValue]]: ...
    @overload
    def __call__(
        self, *args: Options.args, **kwargs: Options.kwargs
    ) -> Callable[
        [Callable[Arguments, AnyValue]], Operator[Arguments, AnyValue, NumericArtifact[AnyValue]]
    ]: ...


class CheckDecorator(Protocol[Options]):
    """Make checks, or take options first."""

    @overload
    def __call__(
        self, function: Callable[Arguments, AnyValue], /
    ) -> Operator[Arguments, AnyValue, BoolArtifact]: ...
    @overload
    def __call__(
        self, *args: Options.args, **kwargs: Options.kwargs
    ) -> Callable[[Callable[Arguments, AnyValue]], Operator[Arguments, AnyValue, BoolArtifact]]: ...
