"""The default of a parameter: a value -> what the spec says of it, and what has to be stored.

In: an operator of kind ``param``. Out: its default in the bytes of the runner's codecs; small JSON stands in
the spec itself, everything else lies in the store, by its digest. Must not import: anything heavy.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.runner.codecs import CodecError, accepted_type, encode
from aqueduct_provider.sdk.nodes import OperatorNode

MAX_INLINE_BYTES = 32 * 1024
# Deeper ones are refused by the readers of specs.
_MAX_DEPTH = 50
# Airflow sends params to its tasks in a format that has no larger integers.
_MAX_INTEGER = 2**63


@dataclass(frozen=True)
class EncodedDefault:
    """A parameter's default as it is stored.

    :param type: the parameter's artifact type.
    """

    type: str
    serialization_type: str
    sha256: str
    data: bytes = field(repr=False)

    def inline(self) -> dict[str, Any] | None:
        """The spec's ``InlineDefault``; None where the value is too large or is not the same as JSON."""
        if self.serialization_type not in ("json", "string") or len(self.data) > MAX_INLINE_BYTES:
            return None
        value = json.loads(self.data) if self.serialization_type == "json" else self.data.decode()
        if not _is_plain(value) or len(json.dumps(value)) > MAX_INLINE_BYTES:
            return None
        return {"value": value}

    def stored(self, key: str) -> dict[str, str]:
        """The spec's ``StoredDefault``."""
        return {"key": key, "serialization_type": self.serialization_type, "sha256": self.sha256}


def encoded_default(operator: OperatorNode) -> EncodedDefault:
    """The default of the parameter behind ``operator``.

    :raises AuthoringError: it cannot be stored, or is of another type than the parameter.
    """
    (artifact,), parameter = operator.outputs, operator.parameter
    if parameter is None:
        raise ValueError(f"{operator.name!r} is no parameter")
    # None says "not given": whatever is given instead must be accepted.
    wanted = "untyped" if parameter.default is None else artifact.type
    try:
        actual = accepted_type(parameter.default, wanted)
        encoded = encode(parameter.default, actual, "parquet")
    except CodecError as error:
        raise AuthoringError(f"The default of parameter {artifact.name!r}: {error}") from error
    type_ = wanted if parameter.default is None else actual
    digest = hashlib.sha256(encoded.data).hexdigest()
    return EncodedDefault(type_, encoded.serialization_type, digest, encoded.data)


def _is_plain(value: Any) -> bool:
    """Whether a spec, Airflow's params and the task that reads them give back just this value."""
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
    return not isinstance(value, int) or -_MAX_INTEGER <= value < _MAX_INTEGER
