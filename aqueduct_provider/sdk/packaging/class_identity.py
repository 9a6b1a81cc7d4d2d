"""Give classes that travel by value an identity, so that they are the same class elsewhere.

In: a class or type variable and cloudpickle's reduction of it. Out: the reduction with an identity that does
not change from process to process.
"""

from __future__ import annotations

import hashlib
import operator
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aqueduct_provider.sdk.packaging.source_text import source_of

# cloudpickle marks each class with a random id. An unpickler that meets an id again uses the class that it
# has made before, so that what one operator returns is an instance of the class that the next one's function
# names. A random id would be new in every process that publishes, and with it the digest of the archive,
# although nothing has changed; an id of the archive alone would make a class of two functions two classes. So
# the id is made of where the class is defined and of its source text.
_PREFIX = "aqueduct-"


def give_identity(obj: Any, reduced: Any, content: Callable[[object], bytes]) -> Any:
    """Return the reduction, with the random id in it replaced, and in cloudpickle's own table too.

    :param obj: a class or a type variable.
    :param content: pickles it; by that are known classes without source text, and those made in functions, of
        which the same text may make several.
    """
    random = _random_id(obj, reduced)
    if not random or random.startswith(_PREFIX):
        return reduced
    with suppress(Exception):  # What cannot be pickled keeps its random id; it is reported elsewhere.
        identity = _PREFIX + _digest(obj, content)
        _table("_DYNAMIC_CLASS_TRACKER_BY_CLASS")[obj] = identity
        _table("_DYNAMIC_CLASS_TRACKER_BY_ID")[identity] = obj
        return _replaced(reduced, random, identity)
    return reduced


def without_identity(obj: Any, reduced: Any) -> Any:
    """Return the reduction, with the id in it replaced by the name; for content that is only looked at."""
    random = _random_id(obj, reduced)
    return _replaced(reduced, random, _place(obj)) if random else reduced


def _random_id(obj: Any, reduced: Any) -> str:
    """Return cloudpickle's id of the class, when the reduction holds it."""
    if not isinstance(reduced, tuple):
        return ""
    known = _table("_DYNAMIC_CLASS_TRACKER_BY_CLASS").get(obj)
    return known if any(type(part) is str and part == known for part in reduced[1]) else ""


def _replaced(reduced: Any, old: str, new: str) -> Any:
    parts = tuple(new if type(part) is str and part == old else part for part in reduced[1])
    return reduced[0], parts, *reduced[2:]


def _digest(obj: Any, content: Callable[[object], bytes]) -> str:
    source = _source(obj)
    data = source.encode() if source else content(obj)
    return hashlib.sha256(_place(obj).encode() + b"\0" + data).hexdigest()


def _source(obj: Any) -> str:
    """Return the text of a class that its module has under its name; empty where there is none."""
    module = sys.modules.get(obj.__module__)
    with suppress(AttributeError):
        if operator.attrgetter(obj.__qualname__)(module) is obj:
            return source_of(obj)
    return ""


def _place(obj: Any) -> str:
    return f"{obj.__module__}:{getattr(obj, '__qualname__', obj.__name__)}"


def _table(name: str) -> Any:
    import cloudpickle.cloudpickle

    return getattr(cloudpickle.cloudpickle, name, {})
