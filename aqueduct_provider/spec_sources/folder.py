"""A folder of specs: all of them, or the few that may hold the DAG of a starting task.

Reading thousands of files takes longer than all else that the start of a task does. So the file that is named
after the DAG comes first, alone, as the client names it; the others are read only where it is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.spec.spec_files import is_spec_name
from aqueduct_provider.spec_sources.listing import Place, spec_names


@dataclass(frozen=True)
class Folder:
    """A folder of specs."""

    path: Path

    def place(self) -> Place:
        """All specs.

        :raises ConfigError: the folder cannot be listed.
        """
        return Place(self.path, spec_names(self.path))

    def places_with(self, dag_id: str) -> Iterator[Place]:
        """The specs that may hold a DAG; where the first place has it, the next one is not looked for.

        :raises ConfigError: the folder cannot be listed.
        """
        own = f"{dag_id}.json"
        if is_spec_name(own) and (self.path / own).is_file():
            yield Place(self.path, (own,))
        yield Place(self.path, tuple(name for name in spec_names(self.path) if name != own))
