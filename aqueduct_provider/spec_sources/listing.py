"""Stage 2, where specs lie, as ``load_dags.py`` sees it: a folder, or the mirror of a store.

In: a folder. Out: the names of the specs in it. Must not import Airflow.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.spec_files import is_spec_name


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
    """Gives places at every parse, as they are now."""

    def place(self) -> Place:
        """All specs."""
        ...

    def places_with(self, dag_id: str) -> Iterator[Place]:
        """The specs that may hold the DAG of a task; of two that do, the first is in the first place."""
        ...


def spec_names(folder: Path) -> tuple[str, ...]:
    """The names of the specs in a folder, sorted.

    :raises ConfigError: the folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(entry.name for entry in entries if is_spec_name(entry.name)))
    except OSError as exc:
        raise ConfigError(f"The folder of specs {folder} cannot be listed: {exc.strerror}.") from exc
