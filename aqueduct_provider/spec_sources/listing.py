"""A listing: the specs of a source as they are at one moment, as files of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.spec_files import is_spec_name


@dataclass(frozen=True)
class Listing:
    """The specs of a source as they are now.

    :param names: names of the files in ``folder``.
    :param origin: the prefix of a name in messages, such as the URL of a store; empty: none.
    :param problems: name -> why a spec that is in the source is not in the folder.
    :param connection_id: the Airflow connection of a store that cannot be read; ``failure`` gives the reason.
    """

    folder: Path
    names: tuple[str, ...]
    origin: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    connection_id: str = ""
    failure: str = ""


class SpecSource(Protocol):
    """Lists specs at every parse, as they are then."""

    def listing(self) -> Listing:
        """List all specs."""
        ...

    def listings_with(self, dag_id: str) -> Iterator[Listing]:
        """List the specs that may hold the DAG of a task, those that win over the others first."""
        ...


def spec_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the specs in a folder, sorted.

    :raises ConfigError: the folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(entry.name for entry in entries if is_spec_name(entry.name)))
    except OSError as exc:
        raise ConfigError(f"The folder of specs {folder} cannot be listed: {exc.strerror}.") from exc
