"""The files that a function needs: paths as the user gave them -> files, by their archive path.

Only the file system is looked at. Errors name the operator and the path.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging.user_function import UserFunction

# What the archive itself holds.
RESERVED = ("model.py", "model.pkl", "requirements.txt", "python_version.txt")

_CACHE = "__pycache__"


@dataclass(frozen=True)
class DependencyFiles:
    """The user's files, by their path in the archive, sorted."""

    files: Mapping[str, Path]

    def modules(self) -> dict[str, Path | None]:
        """List what can be imported from these files, with dots; None: a package without ``__init__.py``."""
        found = dict[str, Path | None]()
        for path, file in self.files.items():
            parts = path.split("/")
            name = inspect.getmodulename(parts[-1])
            if name is None:
                continue
            names = [*parts[:-1], *([name] if name != "__init__" else [])]
            for count in range(1, len(names)):
                found.setdefault(".".join(names[:count]), None)
            if names:
                found[".".join(names)] = file
        return found


def dependency_files(function: UserFunction, name: str) -> DependencyFiles:
    """Find the files behind the function's ``file_dependencies``. Folders are walked, without hidden files.

    :param name: the operator's.
    :raises PackagingError: a path is not there, leads out of the folder, is named twice, or is taken by the
        archive itself.
    """
    if not function.file_dependencies:
        return DependencyFiles({})
    folder = function.folder.resolve()
    found, named = dict[str, Path](), set[Path]()
    for given in function.file_dependencies:
        dependency = _Dependency(name, given, folder)
        if dependency.path in named:
            raise dependency.refused("is named twice. Remove one of the two entries.")
        named.add(dependency.path)
        found.update(_found(dependency))
    return DependencyFiles(dict(sorted(found.items())))


@dataclass(frozen=True)
class _Dependency:
    """One entry of ``file_dependencies``.

    :param folder: the function's, without links.
    """

    operator: str
    given: str
    folder: Path

    def refused(self, reason: str) -> PackagingError:
        return PackagingError(f"file_dependencies of {self.operator!r}: {self.given!r} {reason}")

    def name_of(self, path: Path) -> str:
        """Return the path in the archive. A link is followed, and what it leads to keeps the link's name."""
        name = path.relative_to(self.folder).as_posix()
        if name.casefold() in RESERVED:
            raise self.refused(f"would replace {name} of the function's archive. Give the file another name.")
        return name

    def check_inside(self, path: Path) -> None:
        if not path.resolve().is_relative_to(self.folder):
            what = "leads" if path == self.path else f"holds {path.name!r}, which leads"
            raise self.refused(
                f"{what} out of {self.folder}, the folder of the function. Copy the file into that folder."
            )

    @property
    def path(self) -> Path:
        """The entry in the folder; one that leads there through a link is taken as what it leads to."""
        path = Path(os.path.normpath(self.folder / self.given))
        return path if path.is_relative_to(self.folder) else path.resolve()


def _found(dependency: _Dependency) -> Iterator[tuple[str, Path]]:
    path = dependency.path
    dependency.check_inside(path)
    if not path.exists():
        raise dependency.refused(
            f"is not there; it was looked for in {dependency.folder}. Paths are relative to the function's "
            "file."
        )
    if path.is_dir():
        files = list(_walk(path, dependency, ()))
        if not files:
            raise dependency.refused("holds no files.")
        yield from files
    elif path.is_file():
        yield dependency.name_of(path), path
    else:
        raise dependency.refused("is neither a file nor a folder.")


def _walk(folder: Path, dependency: _Dependency, parents: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    real = folder.resolve()
    if real in parents:
        raise dependency.refused(f"holds {folder.name!r}, a link to a folder that it is in. Remove the link.")
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == _CACHE:
            continue
        dependency.check_inside(path)
        if path.is_dir():
            yield from _walk(path, dependency, (*parents, real))
        elif path.is_file():
            yield dependency.name_of(path), path
