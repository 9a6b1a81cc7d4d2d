"""Let threads that an operator's code starts be inside the operator, too.

A thread begins with an empty context, so an operator that is called in one would be recorded and computed,
and would wait for the call that waits for the thread. On a worker it is a plain function in every thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial

from aqueduct_provider.sdk.settings import is_inside_operator


@contextmanager
def inherited_by_threads() -> Iterator[None]:
    """Let threads that are started inside an operator inherit the context; others do not."""
    original = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if is_inside_operator():
            thread.run = partial(copy_context().run, thread.run)  # type: ignore[method-assign]
        original(thread)

    threading.Thread.start = start  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        # Whoever has replaced it since keeps what they put there.
        if threading.Thread.start is start:
            threading.Thread.start = original  # type: ignore[method-assign]
