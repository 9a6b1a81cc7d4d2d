"""Check what packages of other projects declare and open: a mistake in one is one message with its place.

In: an entry point, or a system that one declares. Out: its systems, or an open connection.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.system import DataSystem
from aqueduct_provider.errors import AqueductError, ConfigError, DataSystemError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_FAMILY = "sql"


def declared_systems(entry: EntryPoint) -> tuple[DataSystem, ...]:
    """Return the systems of an entry point.

    :raises ConfigError: its module cannot be loaded, or declares something else.
    """
    name = _entry_name(entry)
    try:
        systems = tuple(entry.load().SYSTEMS)
    # Any error at all: it is the code of another project.
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"{name} declares no data systems: {_error_text(error)}. It must name a module whose SYSTEMS is "
            "a tuple of DataSystem objects."
        ) from error
    problems = [problem for system in systems for problem in _problems(system)]
    if problems:
        raise ConfigError(f"{name} declares a data system that cannot be used: {'; '.join(problems)}.")
    return systems


def taken_name(entry: EntryPoint, system: DataSystem) -> str:
    """Say that another system has the name, or an alias, of one that an entry point declares."""
    return (
        f"{_entry_name(entry)} declares the data system {system.name!r}, whose name or alias another one "
        "has. Give it another name, or uninstall one of the packages."
    )


def open_connection(system: DataSystem, config: Mapping[str, Any]) -> Any:
    """Open a connection to a system of another package.

    :returns: a ``Database`` with all its methods.
    :raises DataSystemError: it cannot be reached, or its package is wrong.
    """
    from aqueduct_provider.connectors.sql.database import Database

    module = f"{system.package}.database"
    try:
        database = system.connect(config)
    except AqueductError:
        raise
    except Exception as error:
        raise DataSystemError(
            f"The package of the data system {system.name!r} ({system.distribution}) could not open a "
            f"connection: {_error_text(error)}. connect(connector, config) of {module} must return a "
            "Database and raise DataSystemError for what users can fix."
        ) from error
    kind = type(database).__name__
    methods = [name for name, value in vars(Database).items() if callable(value) and name[0] != "_"]
    lacking = [name for name in methods if not callable(getattr(database, name, None))]
    if lacking:
        raise DataSystemError(
            f"The package of the data system {system.name!r} ({system.distribution}) is incomplete: what "
            f"connect() of {module} returns, a {kind}, has no method {' and no '.join(lacking)}. The methods "
            "are those of Database in aqueduct_provider/connectors/sql/database.py."
        )
    return database


def word_of(name: str) -> str:
    """Return a name without what does not count when users type it: case, spaces and signs."""
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())


def words_of(system: DataSystem) -> set[str]:
    """Return the words by which users may name a system."""
    return {word_of(name) for name in (system.name, *system.aliases)} - {""}


def _problems(system: Any) -> Iterator[str]:
    if not isinstance(system, DataSystem):
        yield f"SYSTEMS holds {system!r}, which is not a DataSystem"
        return
    if not isinstance(system.name, str) or not word_of(system.name):
        yield f"its name is {system.name!r}, and must have letters or digits"
    if not system.package:
        yield f"{system.name!r} has no package, which must be the one with the module database"
    if system.family != _FAMILY:
        yield f"{system.name!r} is of the family {system.family!r}, but other packages add {_FAMILY!r} only"
    elif system.dialect is None:
        yield f"{system.name!r} has no dialect"
    for field in fields(DataSystem):
        value = getattr(system, field.name)
        # Annotations are text here.
        if field.type == "tuple[str, ...]" and not isinstance(value, tuple):
            yield f"{field.name} of {system.name!r} must be a tuple, such as ({value!r},)"


def _entry_name(entry: EntryPoint) -> str:
    distribution = entry.dist.name if entry.dist else "an unknown package"
    return f"The entry point {entry.name} = {entry.value!r} of {distribution}"


def _error_text(error: BaseException) -> str:
    """Return what an error says, and where in the other project's code it was raised."""
    text = f"{type(error).__name__}: {error}".rstrip(".")
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) or not frames or frames[-1].filename.startswith("<frozen"):
        return text
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})"
