"""A call of a decorated function -> an operator in the graph.

In: a ``Definition`` and the arguments of a call. Out: an ``OperatorNode`` whose inputs are in the order of
the signature, for on a worker the function is called with them by position.
"""

from __future__ import annotations

import builtins
import functools
import logging
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from inspect import Parameter
from typing import TYPE_CHECKING, Any, Generic, cast

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk import settings
from aqueduct_provider.sdk.authoring.callables import DecoratedFunction
from aqueduct_provider.sdk.authoring.definitions import WORDS, Definition
from aqueduct_provider.sdk.authoring.frame_views import frame_views
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode, numbered
from aqueduct_provider.sdk.authoring.parameters import parameter_node
from aqueduct_provider.sdk.authoring.requirements import requirements_of
from aqueduct_provider.sdk.authoring.value_types import AnyValue, Arguments, Result
from aqueduct_provider.sdk.own_frames import ends_in_user_code
from aqueduct_provider.sdk.packaging.user_function import UserFunction, name_of
from aqueduct_provider.sdk.suggest import suggestion

if TYPE_CHECKING:
    from aqueduct_provider.sdk.packaging.snapshots import FunctionHistory

_log = logging.getLogger("aqueduct")

_TYPES = {"function": "untyped", "metric": "numeric", "check": "boolean"}
_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class _Argument:
    """One input-to-be.

    :param label: what error messages call it.
    :param parameter: the parameter of the signature that takes it.
    :param keyword: the name under which the function takes it; None: by position.
    :param variadic: taken by ``*args`` or ``**kwargs``.
    """

    label: str
    name: str
    value: Any
    keyword: str | None
    variadic: bool
    parameter: str


class Operator(DecoratedFunction, Generic[Arguments, AnyValue, Result]):
    """A decorated function.

    Calling it records an operator of the flow, and computes it at once unless ``global_config`` says
    ``lazy``. It returns an artifact, or a list of them when there are several outputs.

    For type checkers, it takes the arguments of the function, or artifacts in their place; what the function
    returns is the second of its types, what a call returns the third.

    :param definition: the function and what its author says about it.
    """

    def __init__(self, definition: Definition) -> None:
        functools.update_wrapper(self, definition.function)
        self.__name__: str = name_of(definition.function)
        self._definition = definition
        self._histories = dict[tuple[str, ...], "FunctionHistory"]()

    @ends_in_user_code
    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if settings.is_inside_operator():
            # Where an operator runs, others are plain functions: what it is given are values.
            return cast("Result", self._plain_call(args, kwargs))
        return self._results(args, kwargs, lazy=settings.is_lazy())

    @ends_in_user_code
    def lazy(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Record the call, and compute nothing until a value is asked for."""
        return self._results(args, kwargs, lazy=True)

    @ends_in_user_code
    def local(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> AnyValue:
        """Call the plain function here and now, as if it had no decorator, and return its value.

        It runs where you are: in your working directory, with all your files and modules. Artifacts in its
        arguments, also those in lists, tuples, sets and dicts, are replaced by their values.

        :raises OperatorFailed: the value of an artifact cannot be computed or read.
        """
        from aqueduct_provider.sdk.authoring.arguments import with_values

        values = [with_values(value) for value in args]
        return self._plain_call(values, {key: with_values(value) for key, value in kwargs.items()})

    def _plain_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> AnyValue:
        function: Callable[..., AnyValue] = self._definition.function
        if settings.is_inside_operator():
            return function(*args, **kwargs)
        with settings.inside_operator(), self._trial():
            return function(*args, **kwargs)

    def __repr__(self) -> str:
        what = self._definition
        parameters = ", ".join(what.signature.parameters)
        return f"<{WORDS[what.kind]} {what.name!r}: {self.__name__}({parameters})>"

    def __reduce__(self) -> tuple[Any, ...]:
        # On the worker, calling it calls the function, and nothing of this package is needed there.
        function = self._definition.function
        return functools.partial, (function,), (function, (), {}, {"local": function})

    @functools.cached_property
    def _requirements(self) -> tuple[str, ...]:
        return requirements_of(self._definition.requirements, self._definition.function)

    def _trial(self) -> AbstractContextManager[object]:
        """While the plain function runs. Where its requirements are wrong, nothing of it can be published."""
        with suppress(AuthoringError):
            return self._history(()).run()
        return nullcontext()

    def _history(self, keywords: tuple[str, ...]) -> FunctionHistory:
        """Return what is known of the function, as calls call it.

        :param keywords: see :func:`by_position`.
        """
        if keywords not in self._histories:
            from aqueduct_provider.sdk.packaging.snapshots import FunctionHistory

            what = self._definition
            call = by_position(what.function, keywords) if keywords else what.function
            function = UserFunction(call, self._requirements, what.file_dependencies, what.folder)
            self._histories[keywords] = FunctionHistory(function)
        return self._histories[keywords]

    def _results(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, lazy: bool) -> Result:
        from aqueduct_provider.sdk.authoring.artifacts import artifact_for

        node = record(self._definition, self._history, args, kwargs, lazy=lazy)
        if not lazy:
            from aqueduct_provider.sdk.authoring import evaluate

            evaluate.compute(node)
        # Last: a metric or check that could not be computed must not be published with its inputs.
        _derive(node)
        artifacts = [artifact_for(output) for output in node.outputs]
        return cast("Result", artifacts if len(artifacts) > 1 else artifacts[0])


# --- recording


def record(
    definition: Definition,
    history: Callable[[tuple[str, ...]], FunctionHistory],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    lazy: bool,
) -> OperatorNode:
    """Record one call; nothing is computed, and the inputs do not lead to it yet.

    :param history: of the function, called with its last arguments by these names.
    :param lazy: whether the caller does not compute it at once.
    :raises AuthoringError: the arguments do not fit the function, or may not feed it.
    :raises PackagingError: a declared file cannot be taken along.
    """
    from aqueduct_provider.sdk.packaging.archive_size import check_declared_files

    arguments = list(_arguments(definition, args, kwargs))
    inputs = tuple(_input(definition, argument) for argument in arguments)
    if not inputs and definition.kind != "function":
        raise AuthoringError(
            f"The {definition.kind} {definition.name!r} has no input. Give its function an argument, and "
            "call it on an artifact."
        )
    keywords = tuple(argument.keyword for argument in arguments if argument.keyword is not None)
    views = frame_views(definition.function, [argument.parameter for argument in arguments])
    function = replace(history(keywords).recorded(lazy=lazy), views=views)
    check_declared_files(function, definition.name)
    operator = OperatorNode(
        definition.kind,
        definition.name,
        definition.description,
        inputs=inputs,
        function=function,
        options=definition.options,
        severity=definition.severity,
        notifications=definition.notifications,
    )
    operator.outputs = tuple(_outputs(definition, operator))
    return operator


def by_position(function: Callable[..., Any], keywords: tuple[str, ...]) -> Callable[..., Any]:
    """Return the function, with its last arguments given by position instead of by these names.

    It has no globals and lies in the user's module, so its pickle needs nothing of this package.
    """
    count = len(keywords)

    def call(*values: Any) -> Any:
        return function(*values[:-count], **dict(zip(keywords, values[-count:], strict=True)))

    code = call.__code__.replace(co_filename="<aqueduct>")
    plain = types.FunctionType(code, {"__builtins__": builtins}, closure=call.__closure__)
    return functools.update_wrapper(plain, function)


def _derive(operator: OperatorNode) -> None:
    if operator.kind != "function":
        for artifact in dict.fromkeys(operator.inputs):
            artifact.derived.append(operator)


def _outputs(definition: Definition, operator: OperatorNode) -> Iterator[ArtifactNode]:
    kind = _TYPES[definition.kind]
    names = definition.outputs.names
    for index in range(definition.outputs.count):
        name = names[index] if names else numbered(f"{definition.name} artifact", index)
        yield ArtifactNode(operator, name, named=bool(names), type=kind)


# --- arguments


def _arguments(
    definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Iterator[_Argument]:
    """Yield every argument of the call and every default, in the order of the signature."""
    try:
        bound = definition.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise AuthoringError(_misfit(definition, args, kwargs) or f"{definition.name!r}: {error}.") from None
    absent = _left_to_the_function(definition, bound.arguments, kwargs)
    bound.arguments = {**definition.defaults, **bound.arguments}
    bound.apply_defaults()
    by_name = False
    for name, parameter in definition.signature.parameters.items():
        value = bound.arguments[name]
        match parameter.kind:
            case _ if name in absent:
                # What comes after a gap can only be given by name.
                by_name = True
            case Parameter.VAR_POSITIONAL:
                for number, item in enumerate(value, 1):
                    yield _Argument(f"Entry {number} of '*{name}'", name, item, None, True, name)
            case Parameter.VAR_KEYWORD:
                for key, item in value.items():
                    yield _Argument(f"Entry {key!r} of '**{name}'", key, item, key, True, name)
            case kind:
                keyword = None if kind in _BY_POSITION and not by_name else name
                yield _Argument(f"Argument {name!r}", name, value, keyword, False, name)


def _left_to_the_function(
    definition: Definition, given: Mapping[str, Any], kwargs: Mapping[str, Any]
) -> frozenset[str]:
    """Return the arguments that are not passed: the function has their defaults, which are not parameters."""
    absent = set[str]()
    for name, parameter in definition.signature.parameters.items():
        if parameter.default is Parameter.empty:
            continue
        is_given = name in given and not (name in kwargs and given[name] is parameter.default)
        # By position, nothing can be passed after a gap.
        after_gap = bool(absent) and parameter.kind is Parameter.POSITIONAL_ONLY
        if not is_given and (after_gap or name not in definition.defaults):
            absent.add(name)
    return frozenset(absent)


def _misfit(definition: Definition, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Return why the arguments do not fit the signature; empty for rarer reasons."""
    parameters = definition.signature.parameters.values()
    kinds = {parameter.kind for parameter in parameters}
    positional = [parameter.name for parameter in parameters if parameter.kind in _BY_POSITION]
    known = [
        p.name for p in parameters if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    ]
    function = definition.name
    if Parameter.VAR_POSITIONAL not in kinds and len(args) > len(positional):
        return (
            f"{function!r} was called with {len(args)} arguments by position, but takes {len(positional)}"
            f"{': ' if positional else ''}{', '.join(positional)}."
        )
    unknown = [key for key in kwargs if key not in known]
    if unknown and Parameter.VAR_KEYWORD not in kinds:
        return f"{function!r} takes no argument {unknown[0]!r} by name.{suggestion(unknown[0], known)}"
    given = {*positional[: len(args)], *kwargs}
    for parameter in parameters:
        needed = parameter.default is Parameter.empty and parameter.name not in given
        if needed and parameter.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            return f"Argument {parameter.name!r} of {function!r} has no value and no default."
    return ""


# --- inputs


def _input(definition: Definition, argument: _Argument) -> ArtifactNode:
    from aqueduct_provider.sdk.authoring.artifacts import Artifact

    if isinstance(argument.value, Artifact):
        return _checked(definition, argument, argument.value.node)
    if isinstance(argument.value, Operator):
        other = argument.value.__name__
        raise AuthoringError(
            f"{argument.label} of {definition.name!r} is the function {other!r} itself, not what it returns. "
            f"Call it: {other}(...)."
        )
    if argument.variadic:
        raise AuthoringError(
            f"{argument.label} of {definition.name!r} is of type {type(argument.value).__name__}, but *args "
            "and **kwargs take artifacts only, each as an entry of its own. Give a plain value an argument "
            "of its own, or make it a parameter: client.create_param(name, default)."
        )
    return _parameter(definition, argument.name, argument.value)


def _parameter(definition: Definition, argument: str, value: Any) -> ArtifactNode:
    name = f"{definition.name}:{argument}"
    description = f"Argument {argument} of the operator {definition.name}."
    node = parameter_node(name, value, description, implicit=True)
    _log.info(
        "Argument %r of %r is not an artifact; it became the default of the parameter %r.",
        argument,
        definition.name,
        name,
    )
    return node


def _checked(definition: Definition, argument: _Argument, node: ArtifactNode | None) -> ArtifactNode:
    """Return the artifact's node, when it may feed the operator."""
    where = f"{argument.label} of {definition.name!r}"
    if node is None:
        raise AuthoringError(
            f"{where} was read back from a run, so no operator makes it. Pass its value: use .get()."
        )
    producer = node.producer
    if producer.kind == "check":
        raise AuthoringError(
            f"{where} is the output of the check {producer.name!r}; nothing can be computed from a check."
        )
    if producer.kind in ("metric", "system_metric") and definition.kind == "function":
        raise AuthoringError(
            f"{where} is the output of the metric {producer.name!r}; metrics feed metrics and checks, but no "
            "operators. Compute it in an @op to use it there."
        )
    return node
