"""Names that users type: in one form, and what they may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from aqueduct_provider.spec.names import nfc

# More than there are services: their list is never cut.
_MOST = 20


def tidy(name: str) -> str:
    """Return the name without blanks around it, in normal form; what is not text stays as it is."""
    return nfc(name.strip()) if isinstance(name, str) else name


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` or `` There are: 'a', 'b'.``; empty when nothing is known."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f" Did you mean {close[0]!r}?"
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f" There are: {', '.join(map(repr, names[:_MOST]))}{more}." if names else ""
