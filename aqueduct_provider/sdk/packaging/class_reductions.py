"""Correct what cloudpickle takes from classes where they would not load, or be others.

In: a class and cloudpickle's reduction of it. Out: the reduction.
"""

from __future__ import annotations

import builtins
import dataclasses
import enum
import operator
import pickle
import sys
import types
import typing
from typing import Any

# What enum itself keeps in each member.
_OF_ENUM = frozenset(["_value_", "_name_", "__objclass__", "_sort_order_", "_inverted_"])


def corrected(cls: type, reduced: Any) -> Any:
    """Return the reduction of a class that is taken by value.

    :param reduced: what cloudpickle makes of it: maker, arguments, content, ..., and what sets the content.
    """
    if not isinstance(reduced, tuple) or len(reduced) != 6:
        return reduced
    maker, arguments, (content, slots), *others, setter = reduced
    _drop_slots(cls, content)
    _drop_generated(cls, content)
    if owner := _owner_of_hook(cls):
        maker, arguments = _make_quietly, (maker, owner, *arguments)
    if issubclass(cls, enum.Enum):
        return _reduced_enum(cls, (maker, arguments, (content, slots), *others, setter))
    if cls.__qualname__ != cls.__name__:
        content["__qualname__"] = cls.__qualname__
    if typing.is_typeddict(cls) and "__orig_bases__" not in vars(cls):
        arguments = tuple(_bases_of_typed_dict(cls) if one is cls.__bases__ else one for one in arguments)
    return maker, arguments, (content, slots), *others, setter


def class_method_getter(function: types.FunctionType) -> Any:
    """Return how to get the function of a library's class method, such as that of ``typing.Generic``."""
    owner, _, name = function.__qualname__.rpartition(".")
    kind = getattr(sys.modules.get(function.__module__), owner, None)
    if getattr(getattr(kind, name, None), "__func__", None) is function:
        return operator.attrgetter(f"{name}.__func__"), (kind,)
    return None


def _drop_slots(cls: type, content: dict[str, Any]) -> None:
    """Drop private slots: they have another name here, and the class that is made has its own."""
    for name, value in tuple(content.items()):
        if type(value) is types.MemberDescriptorType and value.__objclass__ is cls:
            del content[name]


def _drop_generated(cls: type, content: dict[str, Any]) -> None:
    """Drop what Python adds to a class that is used, and the docstring that dataclasses are given.

    That shows default values, and so addresses.
    """
    content.pop("__slotnames__", None)
    if not content.get("__annotations__", True):
        del content["__annotations__"]
    if dataclasses.is_dataclass(cls) and str(content.get("__doc__")).startswith(f"{cls.__name__}("):
        content["__doc__"] = cls.__name__


def _bases_of_typed_dict(cls: type) -> tuple[Any, ...]:
    """Return what a typed dict is made of; its real base is dict, of which none can be made."""
    return (sys.modules[type(cls).__module__].TypedDict,)


def _owner_of_hook(cls: type) -> type | None:
    """Return the base whose ``__init_subclass__`` was called for the class, where that is the user's own.

    It must not be called again: the class is still empty then, and all that it did travels with the classes.
    """
    from cloudpickle.cloudpickle import _should_pickle_by_reference

    owner = next(kind for kind in cls.__mro__[1:] if "__init_subclass__" in vars(kind))
    return None if _should_pickle_by_reference(owner) else owner


def _reduced_enum(cls: type[enum.Enum], reduced: Any) -> Any:
    """Reduce an enum with its aliases, and what the members' own ``__init__`` or ``__new__`` gave them."""
    maker, arguments, (content, slots), *others, setter = reduced
    if not all(map(_is_of_its_value, cls)):
        raise pickle.PicklingError(f"the __new__ of the enum {cls.__name__!r} changes what is written")
    members = {name: member._value_ for name, member in cls.__members__.items()}
    for alias in members:
        content.pop(alias, None)
    arguments = tuple(members if type(one) is dict else one for one in arguments)
    attributes = {member.name: _attributes_of(member) for member in cls}
    if not any(attributes.values()):
        return maker, arguments, (content, slots), *others, setter
    return maker, arguments, (setter, (content, slots), attributes), *others, _set_enum


def _is_of_its_value(member: Any) -> bool:
    """Return whether a member is made again of its value; of another, its own ``__new__`` made it."""
    kind = type(member)._member_type_
    try:
        return kind is object or bool(kind.__eq__(member, kind(member._value_)) is not False)
    except Exception:
        return False


def _attributes_of(member: enum.Enum) -> dict[str, Any]:
    return {name: value for name, value in vars(member).items() if name not in _OF_ENUM}


def _portable(function: types.FunctionType) -> types.FunctionType:
    """Return the function, of no module: its pickle needs nothing of this package."""
    code = function.__code__.replace(co_filename="<aqueduct>")
    made = types.FunctionType(code, {"__builtins__": builtins})
    made.__module__ = None  # type: ignore[assignment]
    return made


def _make(maker: Any, owner: Any, *arguments: Any) -> Any:
    name = "__init_subclass__"
    before = vars(owner).get(name)
    type.__setattr__(owner, name, classmethod(lambda *_, **__: None))
    try:
        return maker(*arguments)
    finally:
        if before is None:
            type.__delattr__(owner, name)
        else:
            type.__setattr__(owner, name, before)


def _set(cls: Any, state: Any) -> None:
    setter, content, attributes = state
    setter(cls, content)
    for name, values in attributes.items():
        vars(cls[name]).update(values)


_make_quietly = _portable(_make)  # type: ignore[arg-type]
_set_enum = _portable(_set)  # type: ignore[arg-type]
