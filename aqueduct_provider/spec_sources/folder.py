"""The specs in a folder.

Reading thousands of files takes longer than everything else that the start of a task does. So the file that
is named after the DAG, as the client names it, comes first; the others are read only if it is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.spec.spec_files import is_spec_name
from aqueduct_provider.spec_sources.listing import Listing, spec_names


@dataclass(frozen=True)
class SpecFolder:
    """A folder of specs."""

    path: Path

    def listing(self) -> Listing:
        """List all specs.

        :raises ConfigError: the folder cannot be listed.
        """
        return Listing(self.path, spec_names(self.path))

    def listings_with(self, dag_id: str) -> Iterator[Listing]:
        """List the specs that may hold a DAG: the file that is named after it, then all others.

        :raises ConfigError: the folder cannot be listed.
        """
        own = f"{dag_id}.json"
        if is_spec_name(own) and (self.path / own).is_file():
            yield Listing(self.path, (own,))
        yield Listing(self.path, tuple(name for name in spec_names(self.path) if name != own))
