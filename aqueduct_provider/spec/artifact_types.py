"""The artifact types, importable without pydantic: the SDK and the spec's models share them."""

from __future__ import annotations

from enum import Enum, EnumMeta
from typing import TYPE_CHECKING, Any

# Of code written for the original. As members of the class, pydantic would list them as choices of their own.
_SHORT_NAMES = {"BOOL": "BOOLEAN", "DICT": "DICTIONARY", "TF_KERAS": "KERAS_MODEL"}


class _ShortNames(EnumMeta):
    """Find members by their short names, too."""

    def __getitem__(cls, name: str) -> Any:
        return super().__getitem__(_SHORT_NAMES.get(name, name))


class ArtifactType(str, Enum, metaclass=_ShortNames):
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


for short, name in _SHORT_NAMES.items():
    setattr(ArtifactType, short, ArtifactType[name])
