"""Find data systems by name: those of this package, and those that other packages register.

A package registers its systems by an entry point of the group ``aqueduct_provider.data_systems``, whose value
is the module with the declarations::

    [project.entry-points."aqueduct_provider.data_systems"]
    duckdb = "aqueduct_duckdb.system"

Entry points are looked for only when a name is not one of this package. What is wrong with one of them is
reported where a name is not found; all other systems can be used.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from aqueduct_provider import connectors
from aqueduct_provider.connectors.declarations import (
    declared_systems,
    open_connection,
    taken_name,
    word_of,
    words_of,
)
from aqueduct_provider.connectors.system import DataSystem
from aqueduct_provider.errors import ConfigError, DriverMissing

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "aqueduct_provider.data_systems"
# Folders that hold what systems share.
_SHARED = ("sql", "tables")


@cache
def built_in() -> dict[str, DataSystem]:
    """Return the systems of this package, by name."""
    folders = [
        module.name
        for module in iter_modules(connectors.__path__)
        if module.ispkg and module.name not in _SHARED
    ]
    modules = [import_module(f"{connectors.__name__}.{folder}.system") for folder in folders]
    return {system.name: system for module in modules for system in module.SYSTEMS}


def registered() -> Mapping[str, DataSystem]:
    """Return the systems of other installed packages, by name."""
    return _others()[0]


def problems() -> tuple[str, ...]:
    """Return which declarations of other installed packages cannot be used, and why."""
    return _others()[1]


@cache
def _others() -> tuple[dict[str, DataSystem], tuple[str, ...]]:
    """Return the systems of other packages, and what is wrong with those that cannot be used.

    A broken package concerns only those who name its systems.
    """
    from importlib.metadata import entry_points

    declared: dict[DataSystem, EntryPoint] = {}
    faults = []
    for entry in entry_points(group=GROUP):
        try:
            declared |= dict.fromkeys(declared_systems(entry), entry)
        except ConfigError as error:
            faults.append(str(error))
    claims = Counter(word for system in declared for word in words_of(system))
    taken = {"airflow"}.union(*map(words_of, built_in().values()))
    usable = {}
    for system, entry in declared.items():
        if any(word in taken or claims[word] > 1 for word in words_of(system)):
            faults.append(taken_name(entry, system))
        else:
            usable[system.name] = system
    return usable, tuple(faults)


def find(name: str) -> DataSystem | None:
    """Return the system of this name, as specs spell it; None: no installed package has it."""
    return built_in().get(name) or registered().get(name)


def get(name: str) -> DataSystem:
    """Return the system of this name.

    :raises ConfigError: no installed package has it.
    """
    if system := find(name):
        return system
    unknown = (
        f"No data system is named {name!r}; installed are {', '.join(sorted({*built_in(), *registered()}))}. "
        "Correct the name, or install the package that adds the system, here and where tasks run."
    )
    raise ConfigError(" ".join([unknown, *problems()]))


def find_typed(name: str) -> DataSystem | None:
    """Return the system that a user means: case, spaces, signs and aliases do not count."""
    word = word_of(name)
    return _by_word(built_in()).get(word) or _by_word(registered()).get(word)


def _by_word(systems: Mapping[str, DataSystem]) -> dict[str, DataSystem]:
    return {word: system for system in systems.values() for word in words_of(system)}


# --- drivers


def missing_driver(name: str) -> str:
    """Return what to install for a system, in one sentence; empty where it works."""
    system = get(name)
    command = f'pip install "{system.distribution}{f"[{system.extra}]" if system.extra else ""}".'
    missing = [module for module in system.drivers if not _is_installed(module)]
    if missing:
        return (
            f"{name} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed in the Python of {sys.prefix}: {command}"
        )
    for driver, bound in system.below.items():
        if (installed := _version(driver)) and int(installed.partition(".")[0]) >= int(bound):
            return (
                f"{name} needs {driver} below version {bound}, and {installed} is installed in the Python of "
                f"{sys.prefix}: {command}"
            )
    return ""


def connect(name: str, config: Any) -> Any:
    """Open a connection to a data system: a ``Database``, or the MongoDB of ``mongodb/database.py``.

    :raises DriverMissing: its driver is not installed, or in a version that does not work.
    :raises DataSystemError: it cannot be reached, or refuses the user.
    """
    missing = missing_driver(name)
    if missing:
        raise DriverMissing(missing)
    system = built_in().get(name)
    return system.connect(config) if system else open_connection(get(name), config)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _version(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
