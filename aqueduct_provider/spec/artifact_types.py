"""The artifact types, importable without pydantic: the SDK and the spec's models share them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING


class ArtifactType(str, Enum):
    """The kind of value of an artifact."""

    UNTYPED = "untyped"
    STRING = "string"
    BOOLEAN = "boolean"
    NUMERIC = "numeric"
    DICTIONARY = "dictionary"
    TUPLE = "tuple"
    LIST = "list"
    TABLE = "table"
    JSON = "json"
    BYTES = "bytes"
    IMAGE = "image"
    PICKLABLE = "picklable"
    KERAS_MODEL = "tensorflow-keras-model"
    if TYPE_CHECKING:
        BOOL = BOOLEAN
        DICT = DICTIONARY
        TF_KERAS = KERAS_MODEL

    __str__ = str.__str__


# Short names, for code written for the original. pydantic would list aliases as choices of their own.
for short, kind in (("BOOL", "boolean"), ("DICT", "dictionary"), ("TF_KERAS", "tensorflow-keras-model")):
    setattr(ArtifactType, short, ArtifactType(kind))
