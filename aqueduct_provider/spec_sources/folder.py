"""Stage 2, a folder of specs: all of them, or the few that may hold the DAG of a starting task.

In: a folder. Out: a :class:`~aqueduct_provider.spec_sources.listing.Place`, made anew at every parse. Reading
thousands of files takes longer than all else that the start of a task does. So the file that is named after
the DAG comes first, alone; of the others, the DAG ids that stand in them are kept below ``cache_dir``, with
what changes when the file does. Where nothing can be kept, every file is read every time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqueduct_provider import config
from aqueduct_provider.errors import AqueductError
from aqueduct_provider.spec.document import content
from aqueduct_provider.spec.spec_files import is_spec_name
from aqueduct_provider.spec_sources.listing import Place, spec_entries, spec_names

log = logging.getLogger(__name__)

# The quotation mark at its end is missing where the file ends too early.
_DAG_ID = re.compile(rb'"dag_id"\s*:\s*"([^"\\]*)')
_VERSION = 1
# So many files are read in the time in which what stands in them is kept, or looked up.
_FEW = 100
# A file may change twice within one tick of its file system's clock: of a fresh one nothing is kept.
_SETTLING_NS = 2_000_000_000

# The name of a file -> what changes when the file does, and then the DAG ids in it.
_Known = dict[str, list[Any]]


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
        yield Place(self.path, tuple(name for name in names_with(self.path, dag_id) if name != own))


def names_with(folder: Path, dag_id: str) -> tuple[str, ...]:
    """The names of the specs of a folder that may hold a DAG, sorted.

    :raises ConfigError: the folder cannot be listed.
    """
    entries = spec_entries(folder)
    if len(entries) <= _FEW:
        return tuple(sorted(entry.name for entry in entries))
    before, known, changed = _kept(folder), _Known(), 0
    for entry in entries:
        # What is no file, or cannot be read, is looked at again the next time.
        with suppress(OSError):
            status = entry.stat()
            kept = before.get(entry.name)
            if kept is None or kept[0] != _mark(status):
                kept = _read(Path(entry.path), status)
                changed += 1
            known[entry.name] = kept
    if changed > _FEW:
        _keep(folder, known)
    return tuple(sorted(name for name, kept in known.items() if dag_id in kept))


def _read(path: Path, status: os.stat_result) -> list[Any]:
    data = content(path) if stat.S_ISREG(status.st_mode) else b""
    settled = status.st_ctime_ns < time.time_ns() - _SETTLING_NS
    ids = {name.decode(errors="replace") for name in _DAG_ID.findall(data)}
    return [_mark(status) if settled else None, *ids]


def _mark(status: os.stat_result) -> int:
    # Python hashes whole numbers, unlike texts, alike in every process.
    return hash((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


def _file_of(folder: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()
    return config.cache_dir() / "dag-ids" / f"{digest[:32]}.json"


def _kept(folder: Path) -> _Known:
    """What was kept of a folder: nothing, unless only Airflow or root can have written it."""
    try:
        with _file_of(folder).open("rb") as file:
            status = os.fstat(file.fileno())
            ours = status.st_uid in (0, os.geteuid()) and not status.st_mode & stat.S_IWOTH
            kept = json.load(file) if ours else {}
        return dict(kept["files"]) if kept["version"] == _VERSION else {}
    except (OSError, ValueError, TypeError, LookupError):
        return {}


def _keep(folder: Path, known: _Known) -> None:
    from aqueduct_provider.storage.disk_errors import CACHE_REMEDY, translate_disk_errors
    from aqueduct_provider.storage.files import remove_partials, replacing
    from aqueduct_provider.storage.private_folder import private_folder

    path = _file_of(folder)
    try:
        private_folder(path.parent, root=config.cache_dir())
        remove_partials(path.parent)
        with translate_disk_errors(path.parent, CACHE_REMEDY), replacing(path) as file:
            file.write(json.dumps({"version": _VERSION, "files": known}).encode())
    except (OSError, AqueductError) as error:
        log.info("The DAG ids of the specs in %s are not kept: %s", folder, error)
