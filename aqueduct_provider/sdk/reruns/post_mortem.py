"""Stop in a debugger where the user's code failed: pdb, or that of IPython and Jupyter.

The debugger begins at the deepest frame of the user's own code; ``down`` goes on into a library.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from aqueduct_provider.runner.tracebacks import from_user_frame
from aqueduct_provider.sdk.own_frames import is_users_file

log: logging.Logger = logging.getLogger("aqueduct")

# Tracebacks begin after the frames of this file.
AQUEDUCT_PLUMBING = True


def stopping_at_failure(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function; where it raises, a debugger stops before its error goes on."""

    def call(*values: Any) -> Any:
        try:
            return function(*values)
        except Exception as error:
            try:
                post_mortem(error)
            except NotImplementedError as lack:
                # A notebook that a program runs takes no input.
                log.warning("The debugger cannot be used here: %s", lack)
            raise

    return call


def post_mortem(error: BaseException) -> None:
    """Debug an error at the user's frame, until the debugger is left."""
    trace = from_user_frame(error.__traceback__)
    if trace is not None:
        debugger = _at_user_frame(_debugger())()
        debugger.reset()
        debugger.interaction(None, trace)


def _debugger() -> Any:
    """Return the class of the debugger that fits where we are."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        shell = get_ipython()
        if shell is not None:
            return shell.debugger_cls
    import pdb

    return pdb.Pdb


def _at_user_frame(debugger: Any) -> Any:
    """Return a debugger that begins at the user's frame in place of the last one."""

    class UserDebugger(debugger):
        def get_stack(self, frame: FrameType | None, trace: TracebackType | None) -> Any:
            stack, last = super().get_stack(frame, trace)
            users = [
                place for place, (one, _line) in enumerate(stack) if is_users_file(one.f_code.co_filename)
            ]
            return stack, max(users, default=last)

    return UserDebugger
