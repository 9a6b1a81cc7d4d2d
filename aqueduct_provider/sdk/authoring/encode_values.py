"""Values of parameters: defaults, and what runs are given -> the bytes that are stored.

In: a value. Out: its bytes, as the runner's codecs make them; small JSON is in the spec or in Airflow's
``conf``, everything else is in the store, by its digest. What is pickled needs none of the user's own
modules.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.data_modules import holds_pickles
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.runner import serializations
from aqueduct_provider.runner.codecs import CodecError, accepted_type, encode
from aqueduct_provider.sdk.authoring.nodes import OperatorNode

if TYPE_CHECKING:
    from aqueduct_provider.spec.run_values import StoredValue

MAX_INLINE_BYTES = 32 * 1024
# Deeper ones are refused by the readers of specs.
_MAX_DEPTH = 50
# Airflow's trigger form reads numbers as JavaScript does, which rounds larger integers.
_MAX_INTEGER = 2**53


@dataclass(frozen=True)
class EncodedValue:
    """A parameter's value as it is stored.

    :param type: its artifact type; of a default, the parameter's.
    """

    type: str
    serialization_type: str
    sha256: str
    data: bytes = field(repr=False)

    def inline(self) -> dict[str, Any] | None:
        """Return the spec's ``InlineDefault``; None where the value is too large, or differs as JSON."""
        if self.serialization_type not in ("json", "string") or len(self.data) > MAX_INLINE_BYTES:
            return None
        value = json.loads(self.data) if self.serialization_type == "json" else self.data.decode()
        if not _is_plain(value) or len(json.dumps(value)) > MAX_INLINE_BYTES:
            return None
        return {"value": value}

    def given(self) -> StoredValue:
        """Return how the ``conf`` of a run names it."""
        from aqueduct_provider.spec.run_values import StoredValue, value_digest

        digest = value_digest(self.sha256, self.serialization_type)
        return StoredValue(digest, self.serialization_type, self.type)

    def stored(self, key: str) -> dict[str, str]:
        """Return the spec's ``StoredDefault``."""
        return {"key": key, "serialization_type": self.serialization_type, "sha256": self.sha256}


def encoded_value(value: Any, wanted: str, what: str) -> EncodedValue:
    """Return the value as it is stored: the same bytes for the same value, in every process.

    :param wanted: the artifact type that it must have; ``untyped`` for any.
    :param what: what users call it: ``The value of parameter 'country'``.
    :raises AuthoringError: it cannot be stored, or is of another type.
    """
    try:
        encoded = encode(value, accepted_type(value, wanted), "parquet", _pickle)
    except CodecError as error:
        raise AuthoringError(f"{what} {str(error).rstrip('.')}.") from error
    except ImportError as error:
        raise AuthoringError(f"{what} cannot be stored: {error}. Install that package here, too.") from error
    digest = hashlib.sha256(encoded.data).hexdigest()
    return EncodedValue(encoded.artifact_type, encoded.serialization_type, digest, encoded.data)


def check_given(value: EncodedValue, what: str) -> None:
    """Refuse a value that no run can be given: what is data is never unpickled on a worker.

    :param what: what users call it.
    :raises AuthoringError: only a pickle keeps it, and its type is that of plain data.
    """
    is_pickled = value.serialization_type not in serializations.given_to(value.type)
    if is_pickled or (value.serialization_type == "parquet" and holds_pickles(value.data)):
        raise AuthoringError(
            f"{what} is of type {value.type}, but holds what only a pickle keeps, and a worker does not "
            f"unpickle values of this type that a run is given. Give plain values; or publish it as the "
            "default, or let the parameter be of type picklable, whose values are unpickled."
        )


def encoded_default(operator: OperatorNode) -> EncodedValue:
    """Return the default of the parameter behind ``operator``.

    :raises AuthoringError: it cannot be stored, or is of another type than the parameter.
    """
    (artifact,), parameter = operator.outputs, operator.parameter
    if parameter is None:
        raise ValueError(f"{operator.name!r} is not a parameter")
    # None says "not given": whatever is given instead must be accepted.
    wanted = "untyped" if parameter.default is None else artifact.type
    encoded = encoded_value(parameter.default, wanted, f"The default of parameter {artifact.name!r}")
    return replace(encoded, type="untyped") if parameter.default is None else encoded


def _pickle(value: Any) -> bytes:
    """Pickle as functions are pickled: a worker has no modules from next to the script."""
    from aqueduct_provider.sdk.packaging.local_modules import local_modules, pickled_by_value
    from aqueduct_provider.sdk.packaging.pickling import pickled

    modules = local_modules()
    with pickled_by_value(modules):
        return pickled(value, modules).data


def _is_plain(value: Any) -> bool:
    """Return whether a spec, Airflow's params and the task that reads them give back just this value."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        if not all(map(_is_plain_leaf, level)):
            return False
        level = [child for item in level for child in _children(item)]
        if not level:
            return True
    return False


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return (*value, *value.values())
    return value if isinstance(value, list) else ()


def _is_plain_leaf(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or -_MAX_INTEGER < value < _MAX_INTEGER
