"""Take a function that is to be tried on the inputs of a run: plain, or decorated as an operator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.calls import Operator, by_position
from aqueduct_provider.sdk.authoring.definitions import DecoratorArguments, definition_of
from aqueduct_provider.sdk.authoring.frame_views import frame_views
from aqueduct_provider.sdk.authoring.requirements import requirements_of
from aqueduct_provider.sdk.packaging.user_function import UserFunction

if TYPE_CHECKING:
    from aqueduct_provider.sdk.reruns.replayed_operator import ReplayedOperator

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def corrected_function(replayed: ReplayedOperator, given: Any) -> UserFunction:
    """Return the function with what its decorator says of it.

    A plain function has the requirements of the operator that it replaces, and no files.

    :raises AuthoringError: it cannot be an operator, or does not take the operator's inputs.
    """
    operator = replayed.operator
    if isinstance(given, Operator):
        definition = given._definition
        requirements = requirements_of(definition.requirements, definition.function)
    else:
        arguments = DecoratorArguments(kind=operator.type, in_class=True)
        definition = definition_of(given, operator.name, arguments)
        requirements = operator.code.requirements or ()
    names = [replayed.spec.artifact(artifact).name for artifact in operator.inputs]
    parameters = _parameters(definition.signature, operator.name, names)
    views = frame_views(definition.function, [parameter.name for parameter in parameters])
    return UserFunction(
        _called(definition.function, parameters),
        requirements,
        definition.file_dependencies,
        definition.folder,
        views,
    )


def _parameters(signature: inspect.Signature, operator: str, inputs: list[str]) -> list[inspect.Parameter]:
    """Return the parameter that takes each input; inputs are in the order of the signature."""
    found = list[inspect.Parameter]()
    for parameter in signature.parameters.values():
        is_many = parameter.kind is inspect.Parameter.VAR_POSITIONAL
        found += [parameter] * (len(inputs) - len(found) if is_many else 1)
    extra = found[len(inputs) :]
    needed = any(parameter.default is parameter.empty and not _is_variadic(parameter) for parameter in extra)
    if len(found) < len(inputs) or needed:
        raise AuthoringError(
            f"The function takes {len(found)} arguments, but {operator!r} has {len(inputs)} inputs in this "
            f"run: {', '.join(inputs) or 'none'}. Write one that takes these, in this order."
        )
    return found[: len(inputs)]


def _is_variadic(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _called(function: Callable[..., Any], parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    keywords = tuple(one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY)
    return by_position(function, keywords) if keywords else function
