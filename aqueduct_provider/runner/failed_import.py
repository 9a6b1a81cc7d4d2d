"""Find the import behind a failure: a damaged environment shows itself there first. Standard library only."""

from __future__ import annotations

import os
import sys
from typing import Iterator, Optional


def failed_import(error: Optional[BaseException]) -> str:
    """Return what could not be imported: a module's name or a path; empty where no import failed.

    A file of the environment that is not valid Python counts, too.
    """
    for one in _chain(error):
        if isinstance(one, ImportError):
            return one.name or one.path or "?"
        if isinstance(one, SyntaxError) and _is_of_environment(one.filename):
            return str(one.filename)
    return ""


def _chain(error: Optional[BaseException]) -> Iterator[BaseException]:
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_of_environment(filename: Optional[str]) -> bool:
    return bool(filename) and os.path.abspath(str(filename)).startswith(os.path.join(sys.prefix, ""))
