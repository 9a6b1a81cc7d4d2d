"""Name the check of a bound, and read the bound back from that name (pure)."""

from __future__ import annotations

import re

# Argument of ``artifact.bound(...)`` -> how its check begins; the value follows.
BOUND_WORDS = {
    "upper": "less than",
    "lower": "greater than",
    "equal": "equal to",
    "notequal": "not equal to",
}
# Several checks of one name are numbered.
_NAME = re.compile(rf"({'|'.join(BOUND_WORDS.values())}) (\S+)(?: \(\d+\))?")


def bound_in(check: str) -> tuple[str, str] | None:
    """Return words and value of the bound that a check of this name holds; None: it holds none."""
    found = _NAME.fullmatch(check)
    return (found[1], found[2]) if found else None
