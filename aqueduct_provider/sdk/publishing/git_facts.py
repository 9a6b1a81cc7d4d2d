"""Ask Git which commit the published code is of, and whether the working tree differs from it.

In: a folder. Out: the spec's ``version.git``; None without a repository, a commit or Git, or where it
does not answer in time: publishing goes on without it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_SECONDS = 5.0
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?", re.ASCII)
# A repository's own settings must not start programs here.
_COMMAND = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false", "status")
# Publishing itself leaves copies of specs in the working directory.
_PATHS = ("--", ":/", ":(top,exclude,glob)**/*_airflow.json")
_OID = "# branch.oid "


def script_folder() -> Path:
    """Return the folder of the script that runs; in a notebook, a prompt or a tool, the working directory."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    path = Path(script) if isinstance(script, str) else None
    # What starts notebooks and tests is installed.
    is_own = path is not None and path.is_file() and not path.resolve().is_relative_to(sys.prefix)
    return path.resolve().parent if path and is_own else Path.cwd()


def git_facts(folder: Path, seconds: float = _SECONDS) -> dict[str, Any] | None:
    """Return the commit that is checked out in a folder, and whether its working tree is clean.

    :param seconds: how long Git may take.
    """
    command = [*_COMMAND, "--porcelain=v2", "--branch", "--untracked-files=normal", *_PATHS]
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    lines = done.stdout.splitlines()
    commit = next((line.removeprefix(_OID) for line in lines if line.startswith(_OID)), "")
    # Before the first commit it is "(initial)".
    if not _COMMIT.fullmatch(commit):
        return None
    return {"commit": commit, "clean": all(line.startswith("#") for line in lines)}
