"""Keep out of what is published what eager runs make of a function's variables.

On a worker each run starts in a new process. Here all runs share one, so counters count on and caches fill.
This module remembers what a variable was before a run changed it, while it is what the run made of it: a
value that the user gives it later counts. Imports nothing but the standard library at module level.
"""

from __future__ import annotations

import functools
import hashlib
import io
import pickle
import threading
import types
import weakref
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

# Objects of these packages do not change, or must not be pickled: artifacts, type variables.
_FOREIGN = (__name__.partition(".")[0], "typing")
# Compared by identity: they are made of variables, which are watched on their own.
_REFERRED = frozenset([types.FunctionType, types.ModuleType, types.CodeType, functools._lru_cache_wrapper])
_WEAK = frozenset([weakref.WeakKeyDictionary, weakref.WeakValueDictionary])

_lock = threading.RLock()


class Absent:
    """The value of a variable that does not exist."""


@dataclass(frozen=True, eq=False)
class Variable:
    """A place that holds a value.

    :param owner: the globals of a module, a closure's cell, a class or a function; with an empty name the
        value itself, which is watched for what it holds.
    """

    owner: Any
    name: str

    @property
    def key(self) -> Hashable:
        """The key that identifies it for as long as its owner exists."""
        return id(self.owner), self.name

    def value(self) -> Any:
        """Return what it holds now; :class:`Absent` where there is nothing."""
        if not self.name:
            return self.owner
        with suppress(AttributeError, ValueError):  # An empty cell raises a ValueError.
            if isinstance(self.owner, dict):
                return self.owner.get(self.name, Absent)
            if isinstance(self.owner, type):
                return vars(self.owner).get(self.name, Absent)
            return getattr(self.owner, self.name)
        return Absent


def before_runs(owner: Any, name: str, value: Any) -> Any:
    """Undo what eager runs made of the value; :class:`Absent` where only a run made the variable.

    :param owner: see :class:`Variable`.
    :param value: what the variable holds now.
    """
    if not _changes and not _running:
        return value
    key = Variable(owner, name).key
    with _lock:
        for run in _running:
            if key in run.positions:
                return run.before(key, value)
        change = _changes.get(key)
        if change is None:
            return value
        if change.after.is_of(value):
            return change.before
        # The user gave it another value.
        del _changes[key]
        return value


def content_of(variables: Sequence[Variable]) -> bytes:
    """Digest what all these variables hold, without what runs made of it; empty where there is none."""
    with suppress(Exception):
        return _digest([before_runs(one.owner, one.name, one.value()) for one in variables], {})
    return b""


class Watch:
    """Variables, from before a run until after it.

    :param variables: of the function that is run.
    :param namespaces: globals of modules and classes whose new names count, too.
    """

    def __init__(self, variables: Sequence[Variable], namespaces: Sequence[Any]) -> None:
        values = [before_runs(one.owner, one.name, one.value()) for one in variables]
        self._referred = dict[int, Any]()
        self.content: bytes = b""
        try:
            self._image = _image(values, self._referred)
            self.content = self._image.digest()
        except Exception:
            # What cannot be pickled cannot be published either, and needs no copy.
            kept = [place for place, value in enumerate(values) if Print(value).is_of_content]
            variables, values = [variables[place] for place in kept], [values[place] for place in kept]
            self._image = _image(values, self._referred)
        self._variables = variables
        self._names = [(owner, frozenset(_names_of(owner))) for owner in namespaces]
        self.positions: dict[Hashable, int] = {one.key: place for place, one in enumerate(variables)}
        self._copies: list[Any] | None = None

    @contextmanager
    def run(self) -> Iterator[None]:
        """Remember as a run's what the function makes of the variables while it runs."""
        with _lock:
            _running.append(self)
        try:
            yield
        finally:
            with _lock:
                _running.remove(self)
                # What does not survive pickling is published as it is.
                with suppress(Exception):
                    self._note_changes()

    def before(self, key: Hashable, value: Any) -> Any:
        """Return what a variable held before; ``value`` where that does not survive pickling."""
        with suppress(Exception):
            return self._before()[self.positions[key]]
        return value

    def _before(self) -> list[Any]:
        """Return what the variables held before: copies that no code of the user sees."""
        if self._copies is None:
            self._copies = _ImageReader(b"".join(self._image.pieces), self._referred).load()
        return self._copies

    def _note_changes(self) -> None:
        for owner, names in self._names:
            for name in _names_of(owner) - names:
                self._note(Variable(owner, name), Absent)
        if _is_image_of([one.value() for one in self._variables], self._image):
            for one in self._variables:
                _changes.pop(one.key, None)
            return
        for variable, before in zip(self._variables, self._before(), strict=True):
            self._note(variable, before)

    def _note(self, variable: Variable, before: Any) -> None:
        after = Print(variable.value())
        if after == Print(before):
            _changes.pop(variable.key, None)
        else:
            _changes[variable.key] = _Change(variable, before, after)


class Print:
    """The fingerprint of a value: equal for equal content; by identity where it cannot be pickled."""

    def __init__(self, value: Any) -> None:
        self._value, self._digest, self._referred = None, b"", dict[int, Any]()
        try:
            self._digest = _digest(value, self._referred)
        except Exception:
            # Kept, so that its address stays its own.
            self._value = value

    @property
    def is_of_content(self) -> bool:
        """Check whether it is derived from what the value holds."""
        return bool(self._digest)

    def is_of(self, value: Any) -> bool:
        """Return whether the value is as it was."""
        return Print(value) == self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Print) and self._digest == other._digest and self._value is other._value

    __hash__: ClassVar[None] = None  # type: ignore[assignment]


@dataclass(frozen=True)
class _Change:
    """The state of a variable after runs.

    :param before: what it held before; a copy, where it holds other objects.
    """

    variable: Variable
    before: Any
    after: Print


_changes: dict[Hashable, _Change] = {}
_running: list[Watch] = []


def _names_of(owner: Any) -> set[str]:
    names = owner if isinstance(owner, dict) else vars(owner)
    # A copy: other threads may add names.
    return {name for name in tuple(names) if not name.startswith("__")}


# --- images of values


class _Hashed(io.RawIOBase):
    """A file that only keeps the digest of what is written."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b()

    def write(self, data: Any) -> int:
        view = pickle.PickleBuffer(data).raw()
        self._digest.update(view)
        return len(view)

    def digest(self) -> bytes:
        return self._digest.digest()


class _Image(_Hashed):
    """A file in pieces, as they were written: the next pickle of the same is written in the same pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces = list[bytes]()

    def write(self, data: Any) -> int:
        self.pieces.append(bytes(data))
        return super().write(self.pieces[-1])


class _Compared(io.RawIOBase):
    """A file that takes nothing but what an image holds."""

    def __init__(self, image: _Image) -> None:
        self._left = iter(image.pieces)

    def write(self, data: Any) -> int:
        piece = bytes(data)
        if piece != next(self._left, None):
            raise ValueError("another content")
        return len(piece)

    def is_complete(self) -> bool:
        return next(self._left, None) is None


def _image(value: Any, referred: dict[int, Any]) -> _Image:
    image = _Image()
    _pickler()(image, referred).dump(value)
    return image


def _is_image_of(value: Any, image: _Image) -> bool:
    file = _Compared(image)
    with suppress(Exception):
        _pickler()(file, {}).dump(value)
        return file.is_complete()
    return False


def _digest(value: Any, referred: dict[int, Any]) -> bytes:
    file = _Hashed()
    _pickler()(file, referred).dump(value)
    return file.digest()


def _referred(number: int) -> Any:
    """Return what a pickle names for an object that is not in it; :class:`_ImageReader` has the object."""
    raise LookupError(number)


@functools.cache
def _pickler() -> Callable[[Any, dict[int, Any]], Any]:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):
        """Pickles what variables hold, in C; functions, classes and modules are only referred to."""

        def __init__(self, file: Any, referred: dict[int, Any]) -> None:
            super().__init__(file, protocol=5)
            self._referred = referred

        def reducer_override(self, obj: Any) -> Any:
            kind = type(obj)
            if obj is _referred:
                return NotImplemented
            if kind in _REFERRED or issubclass(kind, type) or str(kind.__module__).startswith(_FOREIGN):
                self._referred[id(obj)] = obj
                return _referred, (id(obj),)
            return (kind, (dict(obj),)) if kind in _WEAK else NotImplemented

    return Pickler


class _ImageReader(pickle.Unpickler):
    def __init__(self, data: bytes, referred: dict[int, Any]) -> None:
        super().__init__(io.BytesIO(data))
        self._referred = referred

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (__name__, _referred.__name__):
            return self._referred.__getitem__
        return super().find_class(module, name)
