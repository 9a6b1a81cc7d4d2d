"""Tracebacks that end in the user's code: the public entries of the SDK leave out the frames below it.

In: an exception that leaves the SDK. Out: the same one, without our frames and those of libraries that we
call. An ``AqueductError`` says all in its message, so it keeps no cause but an exception of the user's code.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aqueduct_provider.errors import AqueductError, OperatorFailed

if TYPE_CHECKING:
    from types import CodeType, FrameType

# A file and a line in it.
Place = tuple[str, int]
Function = TypeVar("Function", bound=Callable[..., Any])

# Keeps tracebacks whole where it is set to anything but 0 or nothing.
VARIABLE = "AQUEDUCT_DEBUG_TRACEBACKS"
_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep  # noqa: PTH100, PTH120
# Around functions whose last arguments are called by name, and in methods of dataclasses.
_GENERATED = ("<aqueduct>", "<string>")
_whole: bool | None = None


def keep_whole(whole: bool) -> None:
    """Set whether tracebacks stay whole, whatever the environment variable says."""
    global _whole
    _whole = whole


def ends_in_user_code(function: Function) -> Function:
    """Let tracebacks of exceptions that leave the function end in the code that called it."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            shorten(error)
            raise

    return cast("Function", call)


def shorten(error: BaseException) -> None:
    """Leave our frames out of an exception's traceback.

    To be called by the frame that caught it, which raises it again by a bare ``raise``: this adds no frame.
    """
    if _is_whole():
        return
    frames = error.__traceback__
    kept = _of_own(error) if isinstance(error, AqueductError) else _of_others(error)
    if sys.version_info < (3, 11) and frames is not None:
        # There, a bare raise takes up the frames as they were caught: that of our entry stays.
        frames.tb_next = kept if kept is not frames else frames.tb_next
    else:
        error.__traceback__ = kept


def _is_whole() -> bool:
    return os.environ.get(VARIABLE, "") not in ("", "0") if _whole is None else _whole


def _of_own(error: AqueductError) -> TracebackType | None:
    cause = error.__cause__
    if isinstance(error, OperatorFailed) and cause is not None and (frames := _of_failed_function(cause)):
        # They end this error, so a debugger starts in the function; Python would print them twice.
        cause.__traceback__ = None
        return frames
    error.__cause__ = _of_users(cause)
    error.__suppress_context__ = True
    return _linked([one for one in _links(error.__traceback__) if _is_users(one)])


def _of_users(cause: BaseException | None) -> BaseException | None:
    """Return the first of a chain of causes that came through the user's code; None: there is none."""
    seen = set[int]()
    while cause is not None and id(cause) not in seen:
        if any(map(_is_users, _links(cause.__traceback__))):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return None


def _of_failed_function(cause: BaseException) -> TracebackType | None:
    """Return the frames from the user's function on; None where it is one of ours."""
    frames = [one for one in _links(cause.__traceback__) if _code(one).co_filename not in _GENERATED]
    if not frames or is_own(_code(frames[0]).co_filename):
        return None
    return _linked([one for one in frames if not is_own(_code(one).co_filename)])


def _of_others(error: BaseException) -> TracebackType | None:
    """Return the frames to show of an exception of the user's code; a bug of ours is shown whole."""
    frames = list(_links(error.__traceback__))
    users = any(map(_is_users, frames))
    # Arguments that do not fit a function; an attribute that is missing; Ctrl-C.
    on_purpose = (
        len(frames) == 1 or _code(frames[-1]).co_name == "__getattr__" or isinstance(error, KeyboardInterrupt)
    )
    if not users and not on_purpose:
        return error.__traceback__
    return _linked([one for one in frames if users and not is_own(_code(one).co_filename)])


def _is_users(frame: TracebackType) -> bool:
    return is_users_file(_code(frame).co_filename)


def is_users_file(filename: str) -> bool:
    """Check whether code in a file of that name is neither of this package nor of a library."""
    return not is_own(filename) and not _is_library(filename)


def is_own(filename: str) -> bool:
    """Check whether code of this package is in a file of that name."""
    return filename.startswith(_OWN_FOLDER) or filename in _GENERATED


def _is_library(filename: str) -> bool:
    return filename.startswith(("<frozen ", *_library_folders()))


@functools.cache
def _library_folders() -> tuple[str, ...]:
    import sysconfig

    paths = sysconfig.get_paths()
    return tuple({paths[name] + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def _code(frame: TracebackType) -> CodeType:
    return frame.tb_frame.f_code


def _links(frames: TracebackType | None) -> Iterator[TracebackType]:
    while frames is not None:
        yield frames
        frames = frames.tb_next


def _linked(frames: list[TracebackType]) -> TracebackType | None:
    """Return a traceback of these frames; those that exist are left as they are."""
    linked: TracebackType | None = None
    for one in reversed(frames):
        linked = TracebackType(linked, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return linked


# --- the user's line of a call


def place_of_caller() -> Place | None:
    """Return the file and the line from which the SDK was called; None: by no one but itself."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else None


def shown_place(place: Place | None) -> str:
    """Return a place as editors and notebooks show it: ``flow.py:12``, or ``Cell In[3], line 2``."""
    if place is None:
        return ""
    file, line = place
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None and (cell := shell.compile.format_code_name(file)):
        return f"{' '.join(cell)}, line {line}"
    with contextlib.suppress(ValueError, OSError):
        file = str(Path(file).relative_to(Path.cwd()))
    return f"{file}:{line}"
