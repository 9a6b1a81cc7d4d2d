"""A function -> its pickle: the same bytes for the same function, in every process.

cloudpickle says how functions, classes and modules are taken apart; here they are written in an order that
does not depend on hashes, and equal strings once, whoever owns them.
"""

from __future__ import annotations

import builtins
import functools
import io
import math
import pickle
import re
import sys
import types
import typing
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from aqueduct_provider.sdk.packaging.class_identity import give_identity, without_identity
from aqueduct_provider.sdk.packaging.class_reductions import class_method_getter, corrected
from aqueduct_provider.sdk.packaging.eager_state import Absent, Variable, before_runs
from aqueduct_provider.sdk.packaging.limited_buffer import LimitedBuffer
from aqueduct_provider.sdk.packaging.local_modules import OWN, PACKAGE
from aqueduct_provider.sdk.packaging.variables import globals_in, texts_looked_up, without_hints

# Jupyter's file names hold the process's id, IPython's the number of the prompt.
_SESSION = re.compile(r"(?<=ipykernel_)\d+|(?<=<ipython-input-)\d+-")
# What cloudpickle, from 3.1.3 on, writes in place of a function's file; tracebacks need the file.
_HIDDEN_FILE = "<dynamic-code>"
# What the import system keeps in a module, with paths of this machine; no function needs it.
_IMPORT_SYSTEM = frozenset(["__builtins__", "__cached__", "__loader__", "__spec__"])
_CONTAINERS = frozenset([tuple, list, dict])
# Attributes of classes that runs do not change.
_METHODS = frozenset([types.FunctionType, staticmethod, classmethod, property, types.MemberDescriptorType])
_RECURSION_LIMIT = 10_000
# The one in Python; types of it are not public.
_Pickler: Any = pickle._Pickler
# How it writes each type, from its methods: importing dill changes the table of the class itself, for every
# pickler of the process, and what dill writes only dill reads.
_STOCK: Mapping[type, Callable[[Any, Any], None]] = {
    type(None): _Pickler.save_none,
    bool: _Pickler.save_bool,
    int: _Pickler.save_long,
    float: _Pickler.save_float,
    bytes: _Pickler.save_bytes,
    bytearray: _Pickler.save_bytearray,
    pickle.PickleBuffer: _Pickler.save_picklebuffer,
    str: _Pickler.save_str,
    tuple: _Pickler.save_tuple,
    list: _Pickler.save_list,
    dict: _Pickler.save_dict,
    set: _Pickler.save_set,
    frozenset: _Pickler.save_frozenset,
    type: _Pickler.save_type,
}


@dataclass(frozen=True)
class Pickled:
    """A pickled value.

    :param imports: the modules that unpickling imports, with their dots.
    :param functions: all functions whose code is in it.
    :param modules: the modules that are in it as a whole, for they are used by name.
    :param left_out: modules and what of them is not in it: names bound to something of this package.
    :param variables: where what is in it was found.
    :param namespaces: the modules (as their globals) and classes that are in it with all their names.
    """

    data: bytes
    imports: frozenset[str]
    functions: tuple[types.FunctionType, ...]
    modules: tuple[types.ModuleType, ...]
    left_out: tuple[tuple[types.ModuleType, str], ...]
    variables: tuple[Variable, ...] = field(repr=False)
    namespaces: tuple[Any, ...] = field(repr=False)


def pickled(value: object, by_value: Iterable[str] = (), limit: float = math.inf) -> Pickled:
    """Pickle ``value`` as it was before eager runs changed it; raises whatever pickling it raises.

    :param by_value: the modules that are registered with cloudpickle.
    :param limit: bytes that the pickle may have.
    :raises TooLarge: it has more.
    """
    return _pickled(value, frozenset(by_value), partial(give_identity, content=_content), limit)


def _content(value: object) -> bytes:
    return _pickled(value, frozenset(), without_identity).data


def _pickled(
    value: object,
    by_value: frozenset[str],
    identify: Callable[[Any, Any], Any],
    limit: float = math.inf,
) -> Pickled:
    buffer = LimitedBuffer(limit)
    pickler = CanonicalPickler(buffer, by_value, identify)
    # The pickler is written in Python, which takes several frames for each level of nesting.
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        pickler.dump(value if type(value) is types.FunctionType else pickler.watch(value, "", value))
    finally:
        sys.setrecursionlimit(limit)
    return Pickled(
        buffer.getvalue(),
        frozenset(pickler.imports),
        tuple(pickler.functions),
        tuple(pickler.modules),
        tuple(pickler.left_out),
        tuple(pickler.variables),
        tuple(pickler.namespaces),
    )


if TYPE_CHECKING:
    _Base: TypeAlias = pickle.Pickler
else:
    _Base = _Pickler


class CanonicalPickler(_Base):
    """cloudpickle's reductions, written by Python's own pickler.

    The pickler in C has no hook for writing a set, and writes a string twice or once depending on whether
    its module came from source or from a cached .pyc file.
    """

    # A dict, in the one in Python.
    memo: Any

    def __init__(
        self, file: io.BytesIO, by_value: frozenset[str], identify: Callable[[Any, Any], Any]
    ) -> None:
        import cloudpickle

        super().__init__(file, protocol=5)
        self._cloud = cloudpickle.Pickler
        self._by_value = by_value
        self._identify = identify
        self._texts = dict[str, str]()
        self._bytes = dict[bytes, bytes]()
        self.dispatch_table: Mapping[type, Callable[[Any], Any]] = cloudpickle.Pickler.dispatch_table
        self.globals_ref: dict[int, dict[str, Any]] = {}
        self.imports: set[str] = set()
        self.functions: list[types.FunctionType] = []
        self.modules: list[types.ModuleType] = []
        self.left_out: list[tuple[types.ModuleType, str]] = []
        self.variables: list[Variable] = []
        self.namespaces: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        """Return what cloudpickle's methods expect of their own pickler."""
        if name == "_cloud":
            raise AttributeError(name)
        return getattr(self._cloud, name).__get__(self)

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind in _CONTAINERS:
            return NotImplemented
        if kind in _REDUCERS:
            return _REDUCERS[kind](self, obj)
        reduced = self._cloud.reducer_override(self, obj)
        # Not isinstance, which asks the object itself: proxies and generic aliases pretend.
        if issubclass(kind, type):
            reduced = self._without_runs_of_class(obj, reduced)
            return self._identify(obj, corrected(obj, reduced))
        if kind is types.FunctionType and reduced is not NotImplemented:
            if not self._is_taken_by_value(obj) and (getter := class_method_getter(obj)):
                return getter
            self.functions.append(obj)
            return self._without_runs_of_function(obj, reduced)
        return reduced

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """Save an object; most are text and small values, which need no reduction."""
        leaf = _LEAVES.get(type(obj))
        if leaf:
            leaf(self, obj)
        else:
            _Pickler.save(self, obj, save_persistent_id)

    def save_text(self, obj: str) -> None:
        self._save_once(self._texts.setdefault(obj, obj))

    def save_binary(self, obj: bytes) -> None:
        self._save_once(self._bytes.setdefault(obj, obj))

    def _save_once(self, obj: Any) -> None:
        """Write equal values once, although pickle knows them by identity only."""
        written = self.memo.get(id(obj))
        if written:
            self.write(self.get(written[0]))
        else:
            _STOCK[type(obj)](self, obj)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Write an object as a module and a name in it."""
        name = name or getattr(obj, "__qualname__", None) or obj.__name__
        self.imports.add(pickle.whichmodule(obj, name))  # type: ignore[attr-defined]
        _Pickler.save_global(self, obj, name)

    dispatch: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        **_STOCK,
        types.FunctionType: save_global,
    }

    # --- what eager runs have changed

    def watch(self, owner: Any, name: str, value: Any) -> Any:
        """Return what is pickled of a variable: what it holds without what eager runs made of it."""
        self.variables.append(Variable(owner, name))
        return before_runs(owner, name, value)

    def _without_runs_of_function(self, function: types.FunctionType, reduced: Any) -> Any:
        maker, arguments, (attributes, state), *others = reduced
        known, names = function.__globals__, state["__globals__"]
        for word in texts_looked_up(function.__code__):
            if word in known:
                names[word] = known[word]
            elif word in self._by_value and word in sys.modules:
                state["_cloudpickle_submodules"].append(sys.modules[word])
        # A run may also make a variable, or delete one.
        missing = (name for name in globals_in(function.__code__) if not hasattr(builtins, name))
        names = {**names, **{name: Absent for name in missing if name not in known}}
        found = {name: self.watch(known, name, value) for name, value in names.items()}
        state["__globals__"] = {name: value for name, value in found.items() if value is not Absent}
        for name in ("__defaults__", "__kwdefaults__"):
            if state[name]:
                state[name] = self.watch(function, name, state[name])
        state["__annotations__"] = without_hints(state["__annotations__"], is_ours)
        attributes = self.watch(function, "__dict__", attributes)
        return maker, arguments, (attributes, state), *others

    def _without_runs_of_class(self, cls: type, reduced: Any) -> Any:
        if not isinstance(reduced, tuple) or len(reduced) < 3:
            return reduced
        self.namespaces.append(cls)
        content = reduced[2][0]
        for name, value in tuple(content.items()):
            if not name.startswith("__") and vars(cls).get(name) is value and type(value) not in _METHODS:
                content[name] = self.watch(cls, name, value)
                if content[name] is Absent:
                    del content[name]
        return reduced

    def reduce_cell(self, cell: types.CellType) -> Any:
        maker, arguments = self._reduced(cell)
        if arguments:
            value = self.watch(cell, "cell_contents", *arguments)
            return maker, (value,)
        return maker, arguments

    # --- what cloudpickle does otherwise, or not at all

    def _reduced(self, obj: Any) -> Any:
        return self.dispatch_table[type(obj)](obj)

    def reduce_set(self, obj: Any) -> Any:
        return (type(obj), (sorted(obj, key=_order),)) if len(obj) > 1 else NotImplemented

    def reduce_code(self, code: types.CodeType) -> Any:
        maker, arguments = self._reduced(code)
        return maker, tuple(_code_argument(code, argument) for argument in arguments)

    def reduce_module(self, module: types.ModuleType) -> Any:
        maker, arguments = self._reduced(module)
        if len(arguments) == 1:
            self.imports.add(module.__name__)
            return maker, arguments
        self.modules.append(module)
        self.namespaces.append(vars(module))
        # The content comes after the module itself, for modules may refer to each other.
        return maker, (module.__name__, {}), dict(self._content_of(module))

    def _content_of(self, module: types.ModuleType) -> Iterable[tuple[str, Any]]:
        for name, value in vars(module).items():
            if name in _IMPORT_SYSTEM:
                continue
            before = self.watch(vars(module), name, value)
            if is_ours(before):
                self.left_out.append((module, name))
            elif before is not Absent:
                yield name, before

    def reduce_cached_function(self, obj: Any) -> Any:
        if not self._is_taken_by_value(obj):
            return NotImplemented
        state = {name: value for name, value in vars(obj).items() if name != "cache_parameters"}
        size, typed = obj.cache_parameters().values()
        return type(obj), (obj.__wrapped__, size, typed, functools._CacheInfo), state

    def _is_taken_by_value(self, obj: Any) -> bool:
        names = str(obj.__module__).split(".")
        modules = {".".join(names[: count + 1]) for count in range(len(names))}
        place = getattr(obj, "__qualname__", "")
        return not self._by_value.isdisjoint(modules) or "__main__" in modules or "<locals>" in place

    def reduce_cached_property(self, obj: functools.cached_property[Any]) -> Any:
        # Before Python 3.12 it holds a lock.
        state = {name: value for name, value in vars(obj).items() if name not in ("func", "lock")}
        return type(obj), (obj.func,), state

    def reduce_type_variable(self, obj: Any) -> Any:
        return self._identify(obj, self._reduced(obj))

    def reduce_named_type(self, obj: Any) -> Any:
        """Return what Python pickles by its name alone."""
        if not self._is_taken_by_value(obj):
            return NotImplemented
        if type(obj) is typing.NewType:
            return type(obj), (obj.__name__, obj.__supertype__), {"__module__": obj.__module__}
        return type(obj), (obj.__name__,)

    def reduce_weak_dictionary(self, obj: Any) -> Any:
        return type(obj), (dict(obj),)

    def reduce_file(self, obj: Any) -> Any:
        if obj in (sys.stdout, sys.stderr):
            return NotImplemented
        # cloudpickle would pickle what the file holds now.
        raise pickle.PicklingError(f"open file {obj.name!r}")


_LEAVES: dict[type, Callable[[Any, Any], None]] = {
    **{kind: _STOCK[kind] for kind in (int, float, bool, type(None))},
    str: CanonicalPickler.save_text,
    bytes: CanonicalPickler.save_binary,
}

_REDUCERS: dict[type, Callable[[CanonicalPickler, Any], Any]] = {
    set: CanonicalPickler.reduce_set,
    frozenset: CanonicalPickler.reduce_set,
    types.CellType: CanonicalPickler.reduce_cell,
    types.CodeType: CanonicalPickler.reduce_code,
    types.ModuleType: CanonicalPickler.reduce_module,
    functools._lru_cache_wrapper: CanonicalPickler.reduce_cached_function,
    functools.cached_property: CanonicalPickler.reduce_cached_property,
    typing.TypeVar: CanonicalPickler.reduce_type_variable,
    **{
        getattr(typing, name): CanonicalPickler.reduce_named_type
        for name in ("NewType", "ParamSpec", "TypeVarTuple")
        if hasattr(typing, name)
    },
    weakref.WeakKeyDictionary: CanonicalPickler.reduce_weak_dictionary,
    weakref.WeakValueDictionary: CanonicalPickler.reduce_weak_dictionary,
    io.TextIOWrapper: CanonicalPickler.reduce_file,
}


def is_save_frame(frame: types.FrameType) -> bool:
    """Return whether the frame is the pickler's, at the value that is its variable ``obj``."""
    return frame.f_code is _Pickler.save.__code__


def is_ours(value: object) -> bool:
    """Return whether a value is, or is made of, something of this package that no worker has."""
    home = home_of(value)
    return home.partition(".")[0] == PACKAGE and home not in OWN


def home_of(value: Any) -> str:
    """Return the module that a value is, or that made it or its type. The value itself is not asked."""
    kind = type(value)
    if issubclass(kind, types.ModuleType):
        return str(value.__name__)
    return str(value.__module__ if issubclass(kind, type | types.FunctionType) else kind.__module__)


def _code_argument(code: types.CodeType, argument: Any) -> Any:
    if argument is code.co_consts:
        return _copied(argument)
    if argument is code.co_filename or argument == _HIDDEN_FILE:
        return _SESSION.sub("", code.co_filename)
    return argument


def _copied(constant: Any) -> Any:
    """Copy tuples: whether equal ones are one object depends on how the module was loaded."""
    return tuple(map(_copied, constant)) if type(constant) is tuple else constant


def _order(item: object) -> tuple[str, str]:
    """Return a key that sorts values of any types, the same way in every process."""
    if isinstance(item, set | frozenset):
        text = repr(sorted(map(_order, item)))
    elif isinstance(item, tuple):
        text = repr(tuple(map(_order, item)))
    else:
        text = getattr(item, "__qualname__", None) or repr(item)
    return type(item).__name__, text
