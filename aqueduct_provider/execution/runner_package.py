"""Lay out the sources of ``runner/`` as one folder that any Python from 3.8 on can start.

A folder, not a zip: a zip has no place for byte code, so that every start would compile the runner again
(measured: 15 ms of 65 for an empty job), while each Python minor keeps its own in the folder's
``__pycache__``. Imports nothing of the runner.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
from importlib import resources
from pathlib import Path

from aqueduct_provider.storage.disk_errors import CACHE_REMEDY, translate_disk_errors
from aqueduct_provider.storage.files import replacing
from aqueduct_provider.storage.held_folder import HeldFolder
from aqueduct_provider.storage.private_folder import private_folder

log = logging.getLogger(__name__)

# Begins the names of files that say for which Pythons the runner was compiled.
COMPILED = ".compiled-"
# Not one of the names that a user's module may have: both lie in the same process.
_PACKAGE = "aqueduct_runner"
_MAIN = f"""import sys

from {_PACKAGE}.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def runner_archive(folder: Path) -> Path:
    """Return the runner, ready for ``python -I -u RESULT JOB_FOLDER``; it is built when it is not there yet.

    The result's name holds the digest of its content, so that versions live side by side and builders in
    several processes make the same; the first one to finish wins. Its files are compared at each call, and
    what was lost or changed is written again, with a warning.

    :param folder: where it is kept; made when missing.
    :raises DiskError: it cannot be written there.
    :raises ConfigError: others than this user can write there.
    """
    sources = _sources()
    digest = hashlib.sha256()
    for name, text in sources.items():
        digest.update(f"{name}\\0{len(text)}\\0".encode() + text)
    target = folder / f"runner-{digest.hexdigest()[:16]}"
    with translate_disk_errors(folder, CACHE_REMEDY):
        private_folder(folder)
        if target.exists():
            _restore(sources, target)
        else:
            _build(sources, target)
    return target


def forget_compiled(folder: Path) -> None:
    """Let a runner be compiled again for each Python that has to find it compiled."""
    for done in folder.glob(f"{COMPILED}*"):
        done.unlink(missing_ok=True)


def _sources() -> dict[str, bytes]:
    package = resources.files("aqueduct_provider.runner")
    modules = sorted(item.name for item in package.iterdir() if item.name.endswith(".py"))
    files = {f"{_PACKAGE}/{name}": (package / name).read_bytes() for name in modules}
    return {"__main__.py": _MAIN.encode(), **files}


def _build(sources: dict[str, bytes], target: Path) -> None:
    with HeldFolder(f".{target.name}", parent=target.parent) as scratch:
        for name, text in sources.items():
            path = scratch / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text)
        # For the user that a sandbox runs code as; the folder above is closed to others.
        for path in (scratch, *scratch.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        # Fails when another builder was faster; its result is the same.
        with contextlib.suppress(OSError):
            scratch.rename(target)
    if not target.exists():
        raise FileNotFoundError(f"{target} could not be made")


def _restore(sources: dict[str, bytes], target: Path) -> None:
    """Write the files that differ, each in one step: other tasks may be starting children from them."""
    damaged = [name for name, text in sources.items() if _content(target / name) != text]
    if not damaged:
        return
    log.warning("The runner %s has lost or changed files, which are written again: %s", target, damaged)
    for name in damaged:
        path = target / name
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as file:
            file.write(sources[name])
        path.chmod(0o644)
    # Python checks by time and size whether a compiled module is that of its source.
    for cached in target.rglob("__pycache__"):
        shutil.rmtree(cached, ignore_errors=True)
    forget_compiled(target)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
