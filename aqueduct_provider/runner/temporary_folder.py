"""Keep temporary files of a job in its folder, which is removed with all that is in it."""

from __future__ import annotations

import os
import sys

_NAME = "tmp"
# Sockets have paths of 104 bytes on some systems, of which multiprocessing takes up to 32.
_LONGEST = 70


def use_own_temporary_folder(folder: str) -> None:
    """Make ``tempfile``, here and in the processes that are started, use a folder in the job's.

    :param folder: the job's, absolute.
    """
    path = os.path.join(folder, _NAME)
    if len(os.fsencode(path)) > _LONGEST:
        return
    os.makedirs(path, exist_ok=True)
    os.environ["TMPDIR"] = path
    loaded = sys.modules.get("tempfile")
    if loaded is not None:
        loaded.tempdir = None  # type: ignore[attr-defined]
