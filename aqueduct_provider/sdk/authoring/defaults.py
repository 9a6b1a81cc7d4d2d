"""Decide which defaults of a function's signature become parameters of the flow.

A parameter's default is stored when the flow is published and decoded in each run. Only a default that
survives this may become one. All others stay in the function, where a default that was not given is the
default itself: a sentinel such as ``object()``, a function, an estimator that compares by identity.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from inspect import Parameter, Signature
from types import GeneratorType, ModuleType
from typing import Any

_IMMUTABLE = (type(None), bool, int, float)
# NaN, arrays and tables, which == does not call equal, though the codecs keep them to the last bit.
_WITH_NAN = (float, complex, Decimal)
_WITH_ARRAYS = frozenset(["numpy", "pandas", "polars"])


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
    return {name: copy} if _came_back(default, copy) else {}


def _decoded(default: Any) -> Any:
    from aqueduct_provider.runner.codecs import decode
    from aqueduct_provider.sdk.authoring.encode_values import encoded_value

    encoded = encoded_value(default, "untyped", "The default")
    return decode(encoded.data, encoded.serialization_type, encoded.type)


def _came_back(default: Any, copy: Any) -> bool:
    """Check whether nothing distinguishes the decoded copy.

    The codecs keep values; they cannot keep an object's identity, which is all that a sentinel has, nor what
    a class leaves out of its own pickles. Not recursive: values may be deep, and hold themselves.
    """
    waiting, seen = [(default, copy)], dict[tuple[int, int], Any]()
    while waiting:
        pair = one, other = waiting.pop()
        if one is other or (id(one), id(other)) in seen:
            continue
        # Kept, so that no other object gets its id meanwhile.
        seen[id(one), id(other)] = pair
        kind = type(one)
        if kind is not type(other) or getattr(kind, "__eq__", None) is object.__eq__:
            return False
        parts, others = _parts(one), _parts(other)
        if parts is not None and others is not None:
            if len(parts) != len(others):
                return False
            waiting += zip(parts, others, strict=True)
        elif not _is_equal(one, other):
            return False
    return True


def _parts(value: Any) -> list[Any] | None:
    """Return what a value is made of; None where it is looked at as a whole."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | deque):
        return list(value)
    if dataclasses.is_dataclass(value):
        # Their own == finds no NaN equal to itself.
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    if hasattr(value, "iloc") and hasattr(value, "columns"):
        return [value.iloc[:, place] for place in range(len(value.columns))]
    if getattr(getattr(value, "dtype", None), "hasobject", False):
        return [value.tolist()]
    return None


def _is_equal(one: Any, other: Any) -> bool:
    library = type(one).__module__.partition(".")[0]
    is_array = library in _WITH_ARRAYS and (hasattr(one, "dtype") or hasattr(one, "__len__"))
    if is_array or isinstance(one, _WITH_NAN):
        return True
    try:
        return bool(one == other)
    # Whatever the class's own == raises: it does not call them equal.
    except Exception:
        return False
