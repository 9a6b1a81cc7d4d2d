"""Pickles, and the original's container for a list or tuple (Aqueduct formats, section 4)."""

from __future__ import annotations

import io
import pickle
from typing import Any, Callable, Dict, List

# A pickled list or tuple is stored as a dict of these keys.
_ELEMENT_TYPES, _ELEMENTS, _IS_TUPLE = "aqueduct_serialization_types", "data", "is_tuple"
_CONTAINER_KEYS = {_ELEMENT_TYPES, _ELEMENTS, _IS_TUPLE}

Pickler = Callable[[Any], bytes]


def dump_pickle(value: Any) -> bytes:
    """``value`` pickled, functions and classes of the user's own module by value."""
    import cloudpickle

    data: bytes = cloudpickle.dumps(value)
    return data


def unpickle(data: bytes) -> Any:
    """``pickle.loads`` that needs no package of the original's for what the original pickled."""
    return _Unpickler(io.BytesIO(data)).load()


def pack_elements(value: Any, encode_element: Callable[[Any], Any]) -> bytes:
    """A list or tuple in the container of the formats.

    :param encode_element: gives an element's serialization type and bytes.
    """
    elements = [encode_element(element) for element in value]
    container = {
        _ELEMENT_TYPES: [kind for kind, _ in elements],
        _ELEMENTS: [data for _, data in elements],
        _IS_TUPLE: isinstance(value, tuple),
    }
    return pickle.dumps(container)


def unpack_elements(value: Any, readers: Dict[str, Callable[[bytes], Any]]) -> Any:
    """The list or tuple in a container; any other value as it is."""
    if not is_container(value):
        return value
    kinds: List[str] = value[_ELEMENT_TYPES]
    elements = [readers[kind](data) for kind, data in zip(kinds, value[_ELEMENTS])]
    return tuple(elements) if value[_IS_TUPLE] else elements


def is_container(value: Any) -> bool:
    """Check for the dict that stands for a list or tuple; a user's own dict may look like it, too."""
    return isinstance(value, dict) and value.keys() == _CONTAINER_KEYS


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        # The original pickles the names of serialization types as members of its own enums.
        if module == "aqueduct.constants.enums" and name.endswith("SerializationType"):
            return str
        return super().find_class(module, name)
