"""The serialization types of each artifact type, and which of them can run code.

The one table by which workers judge what a run's ``conf`` names, and readers what a bucket holds.
"""

from __future__ import annotations

from typing import Dict, FrozenSet

# Reading one of these can run code of whoever wrote the bytes.
RUNS_CODE = frozenset({"pickle", "tensorflow-keras-model"})

_JSON, _NUMBER, _TEXT = frozenset({"json"}), frozenset({"json", "numpy-scalar"}), frozenset({"string"})
_PICKLE = frozenset({"pickle"})

# By artifact type, those from which a value can be read without running code.
_DATA: Dict[str, FrozenSet[str]] = {
    "numeric": _NUMBER,
    "boolean": _NUMBER,
    "string": _TEXT,
    "json": _TEXT,
    "bytes": frozenset({"bytes"}),
    "image": frozenset({"image"}),
    "table": frozenset({"table", "parquet", "bson_table"}),
    "dictionary": _JSON,
    "list": _JSON,
    "tuple": _JSON,
}
# The others. What is not here is never unpickled where results are read, nor where a run is given values.
_CODE: Dict[str, FrozenSet[str]] = {
    "table": _PICKLE,
    "dictionary": _PICKLE,
    "list": _PICKLE,
    "tuple": _PICKLE,
    "picklable": _PICKLE,
    "tensorflow-keras-model": RUNS_CODE,
}
# A table that a run is given is data: only the flow's own operators make tables that need a pickle.
_GIVEN_AS_DATA = frozenset({"table"})


def is_data(artifact_type: str) -> bool:
    """Check for a type whose values are never unpickled by readers."""
    return artifact_type in _DATA and artifact_type not in _CODE


def of_data(artifact_type: str) -> FrozenSet[str]:
    """Return the serialization types of an artifact type that are read without running code."""
    return _DATA.get(artifact_type, frozenset())


def of_type(artifact_type: str) -> FrozenSet[str]:
    """Return all serialization types that a reader accepts for an artifact type."""
    return of_data(artifact_type) | _CODE.get(artifact_type, frozenset())


def given_to(artifact_type: str) -> FrozenSet[str]:
    """Return the serialization types in which a run may be given a value of this type by its ``conf``."""
    return of_data(artifact_type) if artifact_type in _GIVEN_AS_DATA else of_type(artifact_type)
