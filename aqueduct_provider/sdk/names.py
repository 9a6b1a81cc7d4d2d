"""Names that people type: what they may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST = 10


def suggestion(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` or `` There are: 'a', 'b'.``; empty when nothing is known."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f" Did you mean {close[0]!r}?"
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f" There are: {', '.join(map(repr, names[:_MOST]))}{more}." if names else ""
