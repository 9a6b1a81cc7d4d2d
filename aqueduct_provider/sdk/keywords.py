"""Public functions: wrong keyword arguments are explained, and tracebacks end in the code that called.

Python's own ``TypeError`` names the wrong word only.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.own_frames import ends_in_user_code, shorten
from aqueduct_provider.sdk.suggest import suggestion

if TYPE_CHECKING:
    from datetime import timedelta

Function = TypeVar("Function", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)


class RunOptions(TypedDict, total=False):
    """How an operator is run, as users write it; ``authoring.nodes.Options`` says what each means."""

    retries: int | None
    retry_delay: float | timedelta | None
    timeout: float | timedelta | None
    pool: str | None
    fuse: str | None


def suggest_keywords(function: Function, *, is_method: bool = False) -> Function:
    """Refuse keyword arguments that the function does not have, unless it takes any.

    Tracebacks of what it raises end in the code that called it: see ``own_frames.py``.

    Where it takes ``**how: Unpack[RunOptions]``, its signature lists them, for ``help()`` and notebooks.

    :param is_method: name it as a method of the object's class, which may have inherited it.
    :raises AuthoringError: when it is called with one; the message suggests the known one that is closest.
    """
    known, rest = _keywords_of(function)
    if rest:
        if "RunOptions" not in str(inspect.unwrap(function).__annotations__.get(rest)):
            return ends_in_user_code(function)
        known |= RunOptions.__annotations__.keys()

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            if kwargs.keys() <= known:
                return function(*args, **kwargs)
            wrong = next(name for name in kwargs if name not in known)
            name = function.__qualname__.removesuffix(".__init__")
            if is_method and args and hasattr(args[0], function.__name__):
                name = f"{type(args[0]).__qualname__}.{function.__name__}"
            raise AuthoringError(f"{name} takes no argument {wrong!r}.{suggestion(wrong, known)}")
        except BaseException as error:
            shorten(error)
            raise

    if rest:
        call.__signature__ = _with_run_options(function)  # type: ignore[attr-defined]
    return cast("Function", call)


def suggest_keywords_of_methods(owner: Class) -> Class:
    """Do so in all public methods that a class defines."""
    for name, member in list(vars(owner).items()):
        if isinstance(member, types.FunctionType) and not name.startswith("_"):
            setattr(owner, name, suggest_keywords(member, is_method=True))
    return owner


def _keywords_of(function: Callable[..., Any]) -> tuple[frozenset[str], str]:
    """Return the names that it takes by keyword, and that of its ``**``, if any."""
    code = inspect.unwrap(function).__code__
    named = code.co_argcount + code.co_kwonlyargcount
    keywords = frozenset(code.co_varnames[code.co_posonlyargcount : named]) - {"self"}
    if not code.co_flags & inspect.CO_VARKEYWORDS:
        return keywords, ""
    return keywords, code.co_varnames[named + bool(code.co_flags & inspect.CO_VARARGS)]


def _with_run_options(function: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(function)
    *named, _ = signature.parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    options = [
        inspect.Parameter(name, kind, default=None, annotation=getattr(hint, "__forward_arg__", hint))
        for name, hint in RunOptions.__annotations__.items()
    ]
    return signature.replace(parameters=[*named, *options])
