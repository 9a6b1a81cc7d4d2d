"""Pickles, and the original's container for a list or tuple (Aqueduct formats, section 4)."""

from __future__ import annotations

import collections
import contextlib
import contextvars
import functools
import io
import pickle
from typing import Any, Callable, Dict, Iterator, List

from .codec_error import CodecError, CodeRefused, describe

# A pickled list or tuple is stored as a dict of these keys.
_ELEMENT_TYPES, _ELEMENTS, _IS_TUPLE = "aqueduct_serialization_types", "data", "is_tuple"
_CONTAINER_KEYS = {_ELEMENT_TYPES, _ELEMENTS, _IS_TUPLE}

Pickler = Callable[[Any], bytes]

_may_run_code: contextvars.ContextVar[bool] = contextvars.ContextVar("_may_run_code", default=True)

# Pickles up to this size are read again when they are written; larger ones would take too long.
_TRIED_BYTES = 1 << 20


def dump_pickle(value: Any) -> bytes:
    """``value`` pickled, functions and classes of the user's own module by value."""
    import cloudpickle

    data: bytes = cloudpickle.dumps(value)
    return data


def dump_exact(value: Any) -> bytes:
    """``value`` as :func:`dump_pickle` does it, unless it would come back as something else, or not at all.

    :raises CodecError: it holds what cloudpickle pickles as something else, or cannot be read again.
    """
    buffer = io.BytesIO()
    _exact_pickler()(buffer).dump(value)
    data = buffer.getvalue()
    if len(data) <= _TRIED_BYTES:
        _check_readable(data, value)
    return data


def _check_readable(data: bytes, value: Any) -> None:
    try:
        unpickle(data)
    except (MemoryError, KeyboardInterrupt):
        raise
    except BaseException as exc:
        kind = type(value).__name__
        raise CodecError(
            f"is a {kind} that can be pickled, but not read again ({describe(exc)}): give its class a "
            "__reduce__ method that pickle can use, or return plain values"
        ) from exc


@functools.lru_cache(1)
def _exact_pickler() -> Any:
    """cloudpickle's class, without its reducers for what it does not give back as it was."""
    import cloudpickle

    known = cloudpickle.CloudPickler.dispatch_table

    def refuse_file(file: Any) -> Any:
        made = known[io.TextIOWrapper](file)
        if made[0] is getattr:
            return made  # One of the process's own streams, which are referred to.
        raise CodecError(f"holds the open file {file.name!r}: return what it contains, file.read()")

    table = collections.ChainMap({memoryview: _refuse_view, io.TextIOWrapper: refuse_file}, known)
    return type("ExactPickler", (cloudpickle.CloudPickler,), {"dispatch_table": table})


def _refuse_view(view: memoryview) -> Any:
    raise CodecError(
        f"holds a memoryview of {view.nbytes:,} bytes, which belong to another object: return bytes(view)"
    )


def unpickle(data: bytes) -> Any:
    """``pickle.loads`` that needs no package of the original's for what the original pickled.

    :raises CodeRefused: inside of :func:`data_only`.
    """
    check_may_run_code("a pickle")
    return _CheckedUnpickler(io.BytesIO(data)).load()


@contextlib.contextmanager
def data_only() -> Iterator[None]:
    """Refuse, while the block runs in this thread, to read what can run code, however deep it is."""
    before = _may_run_code.set(False)
    try:
        yield
    finally:
        _may_run_code.reset(before)


def is_data_only() -> bool:
    """Check for being inside of :func:`data_only`."""
    return not _may_run_code.get()


def check_may_run_code(what: str) -> None:
    """Raise :class:`CodeRefused` inside of :func:`data_only`.

    :param what: would run code, for the error: ``a pickle``.
    """
    if is_data_only():
        raise CodeRefused(f"holds {what}, which can run code when it is read")


def pack_elements(value: Any, encode_element: Callable[[Any], Any]) -> bytes:
    """Return a list or tuple in the container of the formats.

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
    """Return the list or tuple in a container; any other value as it is."""
    if not is_container(value):
        return value
    kinds: List[str] = value[_ELEMENT_TYPES]
    elements = [readers[kind](data) for kind, data in zip(kinds, value[_ELEMENTS])]
    return tuple(elements) if value[_IS_TUPLE] else elements


def is_container(value: Any) -> bool:
    """Check for the dict that represents a list or tuple; a user's own dict may look like it, too."""
    return isinstance(value, dict) and value.keys() == _CONTAINER_KEYS


class _CheckedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        # The original pickles the names of serialization types as members of its own enums.
        if module == "aqueduct.constants.enums" and name.endswith("SerializationType"):
            return str
        return super().find_class(module, name)
