"""Format the part of a traceback that its reader needs: from the user's first frame on.

Imports only what is cheap: ``traceback`` comes late.
"""

from __future__ import annotations

import os
from types import FrameType, TracebackType
from typing import Optional

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


def user_traceback(error: BaseException) -> str:
    """Format the traceback of ``error`` and its chain, from the user's first frame on."""
    seen = set()
    pending = [error]
    while pending:
        link = pending.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        link.__traceback__ = from_user_frame(link.__traceback__)
        pending += [other for other in (link.__cause__, link.__context__) if other is not None]
    return full_traceback(error)


def full_traceback(error: BaseException) -> str:
    """Format the traceback with every frame; if even that fails, return one line about it."""
    import traceback

    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception as exc:
        return f"{type(error).__name__} (its traceback cannot be formatted: {type(exc).__name__})\n"


def from_user_frame(frames: Optional[TracebackType]) -> Optional[TracebackType]:
    """Return the traceback from the user's first frame on; None where there is none."""
    while frames and _is_plumbing(frames.tb_frame):
        frames = frames.tb_next
    return frames


def _is_plumbing(frame: FrameType) -> bool:
    # The entry file that the SDK puts into function archives says so itself.
    if "AQUEDUCT_PLUMBING" in frame.f_globals:
        return True
    filename = frame.f_code.co_filename
    # What the SDK puts around a function whose last arguments it calls by name.
    if filename.startswith("<frozen importlib") or filename == "<aqueduct>":
        return True
    # importlib.import_module is Python code whose frame stands between ours and the user's.
    return filename.startswith(_OWN_FOLDER + os.sep) or filename.endswith(
        os.path.join("importlib", "__init__.py")
    )
