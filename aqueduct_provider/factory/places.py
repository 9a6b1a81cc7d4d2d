"""Stage 2, where specs lie, as ``discovery.py`` sees it: a folder, or the mirror of a store.

In: a folder. Out: a :class:`Place`, made anew at every parse. Must not import Airflow.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.folder import is_spec_name


@dataclass(frozen=True)
class Place:
    """Where specs lie.

    :param names: of the files.
    :param origin: the URL of the prefix of a store, of which the folder is a mirror; else empty.
    :param problems: name -> why there is no such file, though there should be.
    :param connection_id: of a store that cannot be read; ``failure`` says why.
    """

    folder: Path
    names: tuple[str, ...]
    origin: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    connection_id: str = ""
    failure: str = ""


class Source(Protocol):
    """Gives a place at every parse."""

    def place(self, dag_id: str | None) -> Place:
        """The place as it is now.

        :param dag_id: where a task is to run, its DAG, the only one that is needed then; else None.
        """
        ...


@dataclass(frozen=True)
class Folder:
    """A folder of specs."""

    path: Path

    def place(self, _dag_id: str | None) -> Place:
        """Raises ``ConfigError`` when the folder cannot be listed."""
        return Place(self.path, spec_names(self.path))


def spec_names(folder: Path) -> tuple[str, ...]:
    """The names of the specs in a folder, sorted. Raises ``ConfigError`` when it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError as exc:
        raise ConfigError(f"The folder of specs {folder} cannot be listed: {exc.strerror}.") from exc
    return tuple(sorted(name for name in names if is_spec_name(name)))
