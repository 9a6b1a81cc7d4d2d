"""Let an eager call import what a worker could import: the declared modules, no others of the project.

Modules that were imported before stay usable: those of the script's top are packed along with the function.
Modules outside of the project are checked later, when the flow is published.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from aqueduct_provider.sdk.packaging.dependency_files import DependencyFiles
from aqueduct_provider.sdk.packaging.user_function import UserFunction
from aqueduct_provider.sdk.settings import is_inside_operator


class UndeclaredModule(ModuleNotFoundError):
    """A module of the user's project that a worker would not have; the message says what to do."""


@contextmanager
def imports_of_worker(function: UserFunction, files: DependencyFiles, folder: Path | None) -> Iterator[None]:
    """Let code inside an operator import only what a worker could import.

    :param files: those that the function declares.
    :param folder: the working directory around the call, which belongs to the project, too.
    """
    finder = _UndeclaredFinder(function, files, folder)
    # The list is replaced: another thread may be going through it.
    sys.meta_path = [finder, *sys.meta_path]
    try:
        yield
    finally:
        sys.meta_path = [other for other in sys.meta_path if other is not finder]


class _UndeclaredFinder(MetaPathFinder):
    """Comes first of all finders, and asks the others where it has nothing to say."""

    def __init__(self, function: UserFunction, files: DependencyFiles, folder: Path | None) -> None:
        self._function = function
        self._files = files
        self._folder = folder
        self._busy = threading.local()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module as the import system asks for it; it asks for none that is imported already."""
        busy = getattr(self._busy, "is_set", False)
        if busy or not is_inside_operator() or fullname in sys.builtin_module_names:
            return None
        self._busy.is_set = True
        try:
            return self._found(fullname, path, target)
        finally:
            self._busy.is_set = False

    def _found(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        if name in self._modules:
            # From the project and not from the copy, so that it stays usable after the call.
            return PathFinder.find_spec(name, path or [str(self._function.folder)], target)
        spec = importlib.util.find_spec(name) if path is None else PathFinder.find_spec(name, path, target)
        place = self._place_in_project(spec)
        if place is None or self._is_required(name):
            return spec
        raise UndeclaredModule(
            f"The local module {name!r} ({place}) would not be there on a worker. Import it at the top of "
            f"the function's module, so that it is taken along, or declare it: file_dependencies=[{place!r}]",
            name=name,
        )

    @cached_property
    def _project(self) -> list[Path]:
        return [path.resolve() for path in (self._function.folder, self._folder) if path]

    @cached_property
    def _modules(self) -> dict[str, Path | None]:
        return self._files.modules()

    def _place_in_project(self, spec: ModuleSpec | None) -> str | None:
        """Return the module's path in the project; None if it is elsewhere, installed, or hidden."""
        from aqueduct_provider.sdk.packaging.local_modules import PACKAGE, origin_of_file

        if spec is None or spec.name.partition(".")[0] == PACKAGE:
            return None
        places = list(spec.submodule_search_locations or [])
        file = places[0] if places else spec.origin if spec.has_location else None
        if file is None or origin_of_file(file) != "local":
            return None
        for folder in self._project:
            if (found := Path(file).resolve()).is_relative_to(folder):
                parts = found.relative_to(folder).parts
                hidden = any(part.startswith(".") for part in parts)
                return None if hidden else "/".join(parts)
        return None

    def _is_required(self, name: str) -> bool:
        """Return whether the requirements bring it along, as of a project that is installed for editing."""
        from aqueduct_provider.sdk.packaging.distributions import coverage

        return coverage(self._function.requirements).covers(name.partition(".")[0])
