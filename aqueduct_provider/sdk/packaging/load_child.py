"""The process that loads function archives: ``python -I load_child.py FOLDER``.

In: ``request.json`` in the folder, with the names of zips in it and folders of packages. Out:
``results.jsonl``, a line when an archive is begun and one when it is done: one that is only begun ended it.
Runs as a file of its own: the standard library only, and what the archives import.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REQUEST_FILE = "request.json"
RESULTS_FILE = "results.jsonl"
# The module that a worker imports, too.
_ENTRY = "model"


def main(folder: Path) -> None:
    """Load one archive after the other; packages that several need are loaded once."""
    request = json.loads((folder / REQUEST_FILE).read_text())
    _close_input()
    sys.path += [path for path in request["path"] if path not in sys.path]
    with (folder / RESULTS_FILE).open("w") as results:
        for name in request["archives"]:
            _note(results, archive=name)
            with _unpacked(folder / name) as code:
                _note(results, archive=name, error=_error(code))


def _note(results: Any, **line: str | None) -> None:
    results.write(json.dumps(line) + "\n")
    results.flush()


def _error(code: Path) -> str | None:
    """Why the archive does not load; None where it does, or where that cannot be found out here."""
    try:
        importlib.import_module(_ENTRY).Function()
    except ImportError as error:
        # Packages of the requirements need not be installed here.
        return _described(error) if _is_in(code, error.name or "") else None
    except BaseException as error:
        return None if _is_about_environment(error) else _described(error)
    return None


def _is_in(code: Path, module: str) -> bool:
    top = module.partition(".")[0]
    return bool(top) and ((code / top).is_dir() or (code / f"{top}.py").is_file())


def _is_about_environment(error: BaseException) -> bool:
    """Check whether a variable of the environment is missing: workers have others."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is type(os.environ).__getitem__.__code__


def _described(error: BaseException) -> str:
    try:
        text = str(error).strip().split("\n")[0]
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextlib.contextmanager
def _unpacked(archive: Path) -> Iterator[Path]:
    """The archive as the working folder and first place of modules, of which none is left afterwards."""
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(archive.with_suffix(""))
    (code,) = archive.with_suffix("").iterdir()
    os.chdir(code)
    path, finders, main_module = list(sys.path), list(sys.meta_path), sys.modules["__main__"]
    known = frozenset(sys.modules)
    sys.path.insert(0, str(code))
    importlib.invalidate_caches()
    try:
        yield code
    finally:
        sys.path[:], sys.meta_path[:] = path, finders
        sys.modules["__main__"] = main_module
        for name in frozenset(sys.modules) - known:
            module = sys.modules[name]
            places = [getattr(module, "__file__", None), *_folders_of(module)]
            if any(isinstance(place, str) and place.startswith(str(code)) for place in places):
                del sys.modules[name]


def _folders_of(module: Any) -> list[Any]:
    try:
        return list(module.__path__)
    except Exception:
        return []


def _close_input() -> None:
    """Close stdin, so that code that asks for input does not wait for it."""
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    # Without waiting for threads that an archive has started.
    os._exit(0)
