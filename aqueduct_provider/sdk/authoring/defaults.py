"""Decide which defaults of a function's signature become parameters of the flow.

A parameter's default is stored when the flow is published and decoded in each run. Only a default that
survives this may become one. All others stay in the function, where a default that was not given is the
default itself: a sentinel such as ``object()``, a function, an estimator that compares by identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, Signature
from types import GeneratorType, ModuleType
from typing import Any

_IMMUTABLE = (type(None), bool, int, float)


def parameter_defaults(signature: Signature) -> dict[str, Any]:
    """Return the defaults that may become parameters, by the name of the argument.

    Each is a copy as a run would decode it, so that later changes of the default change nothing here.

    :param signature: of a function that is being decorated.
    """
    found: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if parameter.default is not Parameter.empty:
            found.update(_survivor(name, parameter.default))
    return found


def _survivor(name: str, default: Any) -> Mapping[str, Any]:
    from aqueduct_provider.sdk.authoring.parameters import holds_artifact
    from aqueduct_provider.sdk.authoring.same_value import same_value

    # An artifact is an input like any other; one in a collection is refused when the function is called.
    if type(default) in _IMMUTABLE or holds_artifact(default):
        return {name: default}
    if callable(default) or isinstance(default, ModuleType | GeneratorType):
        return {}
    try:
        copy = _decoded(default)
    except Exception:
        # Whatever the codecs or the user's own class raise: it does not survive.
        return {}
    return {name: copy} if same_value(default, copy) else {}


def _decoded(default: Any) -> Any:
    from aqueduct_provider.runner.codecs import decode
    from aqueduct_provider.sdk.authoring.encode_values import encoded_value

    encoded = encoded_value(default, "untyped", "The default")
    return decode(encoded.data, encoded.serialization_type, encoded.type)
