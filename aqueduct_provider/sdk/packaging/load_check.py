"""Check that function archives load: each is loaded once, in a new process, before it is published.

In: archives. Out: one message for each operator whose archive does not load. The process
has this machine's packages, but none of the user's modules and no secrets. What needs packages that are not
installed here is not judged.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from aqueduct_provider.errors import CommandNotStarted, PackagingError
from aqueduct_provider.sdk.packaging import load_child
from aqueduct_provider.sdk.packaging.local_modules import install_folders
from aqueduct_provider.storage.held_folder import temporary_folder

# Seconds for all archives of a flow.
TIMEOUT = 120.0

# Variables of workers that may hold a password here.
_PROXIES = frozenset(["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"])
# Digests of archives that were loaded before by this process.
_loaded = set[str]()


def unloadable(archives: Sequence[tuple[str, bytes]]) -> list[PackagingError | None]:
    """Return for each archive why a worker could not load it; None: it can.

    :param archives: each with the name of its operator.
    """
    new = [data for data in dict.fromkeys(data for _, data in archives) if _digest(data) not in _loaded]
    if not new or os.name != "posix" or not sys.executable:
        return [None] * len(archives)
    faults = _faults(new)
    _loaded.update(_digest(data) for data in new if data not in faults)
    return [_error(name, faults[data]) if data in faults else None for name, data in archives]


def _error(name: str, reason: str) -> PackagingError:
    return PackagingError(
        f"{name!r} can be pickled, but a worker could not load it: {reason}. Create what it refers to inside "
        "the function, or move it to a module of its own and name that file in file_dependencies=[...]."
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _faults(archives: Sequence[bytes]) -> dict[bytes, str]:
    """Return why archives do not load."""
    with temporary_folder("load") as folder:
        names = {f"{number}.zip": data for number, data in enumerate(archives)}
        for file, data in names.items():
            (folder / file).write_bytes(data)
        request = {"path": install_folders(), "archives": list(names)}
        (folder / load_child.REQUEST_FILE).write_text(json.dumps(request))
        try:
            end = _run(folder)
        except CommandNotStarted:  # As where Python is part of another program.
            return {}
        return {names[archive]: reason for archive, reason in _results(folder, end).items()}


def _run(folder: Path) -> str:
    """Run the process to its end; how it ended, where that was not in order."""
    from aqueduct_provider.execution.job import job_variables
    from aqueduct_provider.process import Child

    variables = job_variables(os.environ, frozenset(), Path(sys.executable))
    child = Child(
        [sys.executable, "-I", "-B", str(load_child.__file__), str(folder)],
        cwd=folder,
        env={name: value for name, value in variables.items() if name.upper() not in _PROXIES},
        on_line=lambda *_: None,
        timeout=TIMEOUT,
    )
    finished = child.run()
    if finished.timed_out:
        return f"it was not loaded within {TIMEOUT:g} seconds"
    if finished.returncode < 0:
        return f"loading it crashes Python ({_signal_name(-finished.returncode)})"
    return f"loading it ends the process with exit code {finished.returncode}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _results(folder: Path, end: str) -> dict[str, str]:
    """Return the reasons by archive; the one that was begun and not done ended the process."""
    path = folder / load_child.RESULTS_FILE
    found = dict[str, str | None]()
    for line in path.read_text().splitlines() if path.exists() else ():
        result = json.loads(line)
        found[result["archive"]] = result.get("error", end)
    return {archive: reason for archive, reason in found.items() if reason}
