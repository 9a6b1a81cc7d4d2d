"""Explain an error about a missing file: the project has it, but the function does not declare it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from aqueduct_provider.sdk.authoring.working_folder import WorkingFolder

# What libraries say whose errors are of classes of their own, such as DuckDB.
_MISSING = re.compile(r"no (such )?files?\b|not (be )?found|does not exist|non-existent", re.IGNORECASE)
_QUOTED = re.compile(r"""["'`]([^"'`\n]+)["'`]""")
_WORD = re.compile(r"[^\s\"'`:,;()\[\]]+")


def undeclared_file(error: BaseException, project: Path, folder: WorkingFolder) -> str:
    """Return a sentence about the missing file that the error, or one in its chain, is about; or nothing.

    :param error: what the function raised.
    :param project: the folder that ``file_dependencies`` are relative to.
    :param folder: where the function ran.
    """
    for link in _chain(error):
        for name in _names(link):
            if hint := _hint(Path(name), project, folder):
                return hint
    return ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _names(error: BaseException) -> Iterator[str]:
    """Yield what may be the path of the missing file, the most certain first."""
    is_missing = isinstance(error, FileNotFoundError)
    named = getattr(error, "filename", None) if is_missing else None
    if isinstance(named, str | bytes | Path):
        yield named.decode(errors="replace") if isinstance(named, bytes) else str(named)
        return
    text = str(error)[:2000]
    if is_missing or _MISSING.search(text):
        yield from _QUOTED.findall(text)
        yield from (word for word in _WORD.findall(text) if "." in word or "/" in word)


def _hint(missing: Path, project: Path, folder: WorkingFolder) -> str:
    if missing.is_absolute():
        if not missing.is_relative_to(folder.path):
            return ""
        missing = missing.relative_to(folder.path)
    name = missing.as_posix().rstrip("./")
    if not name or (folder.path / missing).exists():
        return ""
    if _exists(project / missing):
        return _not_declared(missing, project)
    if folder.before and _exists(folder.before / missing):
        return (
            f"{name!r} is in {folder.before}, and a function only has declared files from the folder of its "
            f"own file: copy it to {project}, and declare it: file_dependencies=[{name!r}]"
        )
    parent = missing.parent
    if parent.name and not (folder.path / parent).exists() and _exists(project / parent):
        return _not_declared(parent, project)
    return ""


def _not_declared(path: Path, project: Path) -> str:
    name = path.as_posix()
    hint = (
        f"{name!r} is in {project}, but the function does not declare it, so no worker would have it: "
        f"file_dependencies=[{name!r}]"
    )
    if (project / path).is_dir():
        hint += "; a folder to write to must be made in the function, and is gone after it"
    return hint


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # Too long a name, or one with a null byte.
        return False
