"""Which modules lie next to the user's script and so have to travel with a function.

Everything that is neither the standard library nor installed is local: files next to the script, in the
working directory, in a package of the project, and editable installs. Of this package only :data:`OWN`
travels.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Literal

from aqueduct_provider.sdk.packaging.distributions import owners_of

Origin = Literal["standard", "installed", "local", "unknown"]

PACKAGE = "aqueduct_provider"
# Functions of this package that users' flows are made of: no worker has them installed.
OWN = tuple(f"{PACKAGE}.sdk.authoring.{name}" for name in ("presets", "expectations", "calls"))

_INSTALL_FOLDERS = {"site-packages", "dist-packages"}

# Which modules are pickled by value is a setting of the whole process.
_lock = threading.RLock()


def local_modules() -> tuple[str, ...]:
    """Return the names of all imported modules that are local, :data:`OWN` included."""
    return _scanned(len(sys.modules), next(reversed(sys.modules)), tuple(sys.path))


@contextmanager
def pickled_by_value(names: Iterable[str]) -> Iterator[None]:
    """Let cloudpickle take functions and classes of these modules into its pickles.

    Modules that were registered before stay registered. Only one thread at a time is within it.
    """
    from cloudpickle import register_pickle_by_value, unregister_pickle_by_value
    from cloudpickle.cloudpickle import list_registry_pickle_by_value

    with _lock:
        before = list_registry_pickle_by_value()
        modules = [sys.modules[name] for name in names if name in sys.modules and name not in before]
        try:
            for module in modules:
                register_pickle_by_value(module)
            yield
        finally:
            for module in modules:
                with suppress(ValueError):
                    unregister_pickle_by_value(module)


def origin_of(name: str) -> Origin:
    """Return where a top-level module comes from; it is not imported."""
    module = sys.modules.get(name)
    if isinstance(module, ModuleType):
        places = _places_of(module)
    else:
        spec = None
        with suppress(ImportError, ValueError, AttributeError):
            spec = find_spec(name)
        if spec is None:
            return "standard" if name in sys.stdlib_module_names else "unknown"
        places = [spec.origin] if spec.has_location and spec.origin else []
        places += spec.submodule_search_locations or []
    if not places:
        return "standard" if name in sys.stdlib_module_names else "unknown"
    return origin_of_file(places[0])


def origin_of_file(place: str) -> Origin:
    """Return where a module of this file or folder comes from."""
    return _origin(place, tuple(sys.path))


def install_folders() -> list[str]:
    """Return the folders of ``sys.path`` that hold installed packages."""
    return [
        folder
        for folder in sys.path
        if not _INSTALL_FOLDERS.isdisjoint(Path(folder).parts) or (folder and _has_metadata(folder))
    ]


@lru_cache(maxsize=1)
def _scanned(_: int, __: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the modules, remembered until more is imported: a process may have thousands of them."""
    return tuple(name for name, module in sys.modules.copy().items() if _is_local(name, module, path))


def _is_local(name: str, module: object, path: tuple[str, ...]) -> bool:
    # The script itself is taken by value by cloudpickle.
    if name == "__main__" or not isinstance(module, ModuleType) or vars(module).get("__name__") != name:
        return False
    if name.partition(".")[0] == PACKAGE:
        return name in OWN
    places = _places_of(module)
    return bool(places) and all(_origin(place, path) == "local" for place in places)


def _places_of(module: ModuleType) -> list[str]:
    """Return a module's file, or the folders of a namespace package. Lazy modules are not loaded by this."""
    attributes = object.__getattribute__(module, "__dict__")
    file = attributes.get("__file__")
    if isinstance(file, str):
        return [file]
    try:
        return [place for place in attributes.get("__path__") or () if isinstance(place, str)]
    except Exception:
        return []


@lru_cache(maxsize=16384)
def _origin(place: str, path: tuple[str, ...]) -> Origin:
    roots = _roots(path)
    for form in dict.fromkeys([os.path.abspath(place), os.path.realpath(place)]):  # noqa: PTH100
        if form.startswith(roots.installed) or not _INSTALL_FOLDERS.isdisjoint(Path(form).parts):
            return "installed"
        if form.startswith(roots.standard):
            return "standard"
        if any(form.startswith(root) and owners_of(_top_level(form, root)) for root in roots.targets):
            return "installed"
    return "local"


def _top_level(file: str, root: str) -> str:
    return file[len(root) :].partition(os.sep)[0].partition(".")[0]


@dataclass(frozen=True)
class _Roots:
    """Folders, with a separator at the end.

    :param installed: of installed packages.
    :param standard: of the standard library.
    :param targets: where packages may lie next to the user's own files: pip's --target.
    """

    installed: tuple[str, ...]
    standard: tuple[str, ...]
    targets: tuple[str, ...]


@lru_cache(maxsize=8)
def _roots(path: tuple[str, ...]) -> _Roots:
    paths = sysconfig.get_paths()
    installed = {paths["purelib"], paths["platlib"], site.getusersitepackages(), *site.getsitepackages()}
    targets = {folder for folder in path if _has_metadata(folder)}
    standard = {paths["stdlib"], paths["platstdlib"]}
    return _Roots(_prefixes(installed), _prefixes(standard), _prefixes(targets))


def _prefixes(folders: Iterable[str]) -> tuple[str, ...]:
    forms = {form for folder in folders for form in (os.path.abspath(folder), os.path.realpath(folder))}  # noqa: PTH100
    return tuple(sorted(form + os.sep for form in forms))


def _has_metadata(folder: str) -> bool:
    try:
        return any(name.endswith(".dist-info") for name in os.listdir(folder or "."))  # noqa: PTH208
    except OSError:
        return False
