"""A function and what its author says about it -> a :class:`Definition`, or one clear error.

In: a callable and the arguments of a decorator as users wrote them. Out: a definition in which all of them
are checked.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring import options
from aqueduct_provider.sdk.authoring.callables import operator_function
from aqueduct_provider.sdk.authoring.defaults import parameter_defaults
from aqueduct_provider.sdk.authoring.nodes import Options, Severity
from aqueduct_provider.sdk.authoring.options import Outputs
from aqueduct_provider.sdk.keywords import RunOptions
from aqueduct_provider.sdk.notify import check_notifications
from aqueduct_provider.sdk.packaging.user_function import folder_of, innermost, name_of
from aqueduct_provider.sdk.suggest import tidy

CallKind = Literal["function", "metric", "check"]
# The decorator of each kind.
WORDS: dict[CallKind, str] = {"function": "op", "metric": "metric", "check": "check"}


@dataclass(frozen=True, kw_only=True)
class DecoratorArguments:
    """The arguments of a decorator, as users wrote them.

    :param in_class: whether a function of a class is accepted: it is when it is not being defined there.
    """

    kind: CallKind
    in_class: bool = False
    description: Any = None
    file_dependencies: Any = None
    requirements: Any = None
    num_outputs: Any = None
    outputs: Any = None
    output: Any = None
    severity: Any = "warning"
    on_warning: Any = None
    on_failure: Any = None
    on_recovery: Any = None
    resources: Any = None
    engine: Any = None
    image: Any = None
    how: RunOptions = field(default_factory=RunOptions)


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A decorated function.

    :param function: what the user wrote.
    :param signature: its parameters.
    :param defaults: those of its defaults that may become parameters of the flow, by argument.
    :param requirements: a path, lines, or None; what the lines say is not checked yet.
    :param folder: where the function's file is; the working directory for functions of a notebook.
    """

    kind: CallKind
    name: str
    description: str
    function: Callable[..., Any]
    signature: inspect.Signature
    defaults: Mapping[str, Any]
    requirements: str | Path | tuple[str, ...] | None
    file_dependencies: tuple[str, ...]
    folder: Path
    outputs: Outputs
    options: Options
    severity: Severity
    notifications: Sequence[Mapping[str, Any]]


def definition_of(function: Any, name: Any, given: DecoratorArguments) -> Definition:
    """Return the definition of an operator.

    :param name: what users call it; None: the function's name.
    :raises AuthoringError: an argument cannot be used, or the function cannot be an operator.
    """
    where = f"@{WORDS[given.kind]} {_title(function, name)!r}"
    function = operator_function(where, function, in_class=given.in_class)
    signature = _signature(where, function)
    options.refuse_engine_and_image(where, given.engine, given.image)
    return Definition(
        kind=given.kind,
        name=tidy(options.optional_text(where, "name", name) or _own_name(where, function)),
        description=_description(where, function, given.description),
        function=function,
        signature=signature,
        defaults=parameter_defaults(signature) if _is_in_python(function) else {},
        requirements=options.requirements_of(where, given.requirements),
        file_dependencies=_file_dependencies(where, given.file_dependencies),
        folder=folder_of(function),
        outputs=_outputs(where, given),
        options=options.options_of(where, given.how, given.resources),
        severity=options.severity_of(where, given.severity),
        notifications=check_notifications(where, given.on_warning, given.on_failure, given.on_recovery),
    )


def _title(function: Any, name: Any) -> str:
    return name if isinstance(name, str) and name.strip() else name_of(function)


def _own_name(where: str, function: Any) -> str:
    name = getattr(function, "__name__", None)
    if not isinstance(name, str) or not name:
        raise AuthoringError(f"{where}: the callable has no name of its own; give one: name='...'.")
    return name


def _description(where: str, function: Any, given: Any) -> str:
    if given is None:
        plain = innermost(function)
        # What a class written in C says of its __call__ describes nothing.
        return inspect.cleandoc(plain.__doc__ or "") if _is_in_python(function) else ""
    if not isinstance(given, str):
        raise AuthoringError(f"{where}: description must be text, not {type(given).__name__}.")
    return given


def _is_in_python(function: Callable[..., Any]) -> bool:
    """Return whether it is written in Python; the defaults of others, such as ufuncs, only describe."""
    return hasattr(innermost(function), "__code__")


def _file_dependencies(where: str, given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    return options.strings(where, "file_dependencies", given, example="['prices.csv']")


def _outputs(where: str, given: DecoratorArguments) -> Outputs:
    if given.kind == "function":
        return options.outputs_of(where, given.num_outputs, given.outputs)
    return options.output_of(where, given.output, given.outputs)


def _signature(where: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        raise AuthoringError(
            f"{where}: Python does not know the arguments of this callable. Call it in a function of yours."
        ) from None
