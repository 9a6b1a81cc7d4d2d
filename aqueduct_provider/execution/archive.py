"""Stage 6, the sources of ``runner/`` -> one folder that any Python from 3.8 on can start.

A folder, not a zip: a zip has no place for byte code, so that every start would compile the runner again
(measured: 15 ms of 65 for an empty job), while each Python minor keeps its own in the folder's
``__pycache__``. Must not import anything of the runner.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from importlib import resources
from pathlib import Path

# Not one of the names that a user's module may have: both lie in the same process.
_PACKAGE = "aqueduct_runner"
_MAIN = f"""import sys

from {_PACKAGE}.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def runner_archive(folder: Path) -> Path:
    """The runner, ready for ``python -I -u RESULT JOB_FOLDER``; built when it is not there yet.

    The result's name holds the digest of its content, so that versions live side by side and builders in
    several processes make the same; the first one to finish wins.

    :param folder: where it is kept; made when missing.
    """
    sources = _sources()
    digest = hashlib.sha256()
    for name, text in sources.items():
        digest.update(f"{name}\\0{len(text)}\\0".encode() + text)
    target = folder / f"runner-{digest.hexdigest()[:16]}"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _build(sources, target)
    return target


def _sources() -> dict[str, bytes]:
    package = resources.files("aqueduct_provider.runner")
    modules = sorted(item.name for item in package.iterdir() if item.name.endswith(".py"))
    files = {f"{_PACKAGE}/{name}": (package / name).read_bytes() for name in modules}
    return {"__main__.py": _MAIN.encode(), **files}


def _build(sources: dict[str, bytes], target: Path) -> None:
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        # Operators may run as another user than the one who built.
        scratch.chmod(0o755)
        for name, text in sources.items():
            path = scratch / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text)
        # Fails when another builder was faster; its result is the same.
        with contextlib.suppress(OSError):
            scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if not target.exists():
        raise FileNotFoundError(f"{target} could not be made")
