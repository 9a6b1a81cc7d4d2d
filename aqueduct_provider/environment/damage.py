"""Find out whether a kept environment has lost or changed files, and let it be built again.

What was installed is known by the ``RECORD`` of each distribution (Binary distribution format, PyPA), and
which distributions there were by the environment's marker.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from aqueduct_provider.environment.cache import DAMAGED, MARKER, PythonEnvironment, distributions_in, known_of

_NAMED = 5
_BLOCK = 1 << 20


def discard_if_damaged(environment: PythonEnvironment, module: str) -> str:
    """Look for damage that explains a failed import; where there is some, the next lease builds it again.

    :param environment: one that this process has leased.
    :param module: what could not be imported, a name or a path. Where no distribution of the environment has
        it, the requirements lack it, and files are not checked.
    :return: what is lost or changed, in words; empty: nothing.
    """
    folder = environment.folder
    if folder is None:
        return ""
    damage = find_damage(folder, known_of(folder), module)
    if not damage:
        return ""
    with contextlib.suppress(FileNotFoundError):  # Another task has found it too.
        # uv links files from its own cache: what was changed in place is changed there as well.
        (folder / DAMAGED).touch()
        (folder / MARKER).unlink()
    more = f" and {len(damage) - _NAMED} more" if len(damage) > _NAMED else ""
    return ", ".join(damage[:_NAMED]) + more


def find_damage(folder: Path, known: Iterable[str], module: str) -> list[str]:
    """Return what an environment has lost, or has otherwise than it was installed.

    :param known: the distributions that it had, as their folders are called.
    :param module: see :func:`discard_if_damaged`.
    """
    if not (folder / "pyvenv.cfg").is_file():
        return ["pyvenv.cfg"]
    records = {info.name: (info.parent, _record(info)) for info in distributions_in(folder)}
    lost = [name for name in known if not records.get(name, (folder, {}))[1]]
    if lost:
        return lost
    top = module.partition(".")[0]
    # A path names no distribution: each may be the one.
    beginnings = (f"{top}/", f"{top}.") if top.isidentifier() else ("",)
    suspects = {
        info for info, (_, record) in records.items() if any(name.startswith(beginnings) for name in record)
    }
    if not suspects:
        return []
    return sorted(
        str((site / name).relative_to(folder))
        for info, (site, record) in records.items()
        for name, (digest, size) in record.items()
        if not _is_whole(site / name, size, digest if info in suspects else "")
    )


def _record(info: Path) -> Mapping[str, tuple[str, int]]:
    """File -> digest and size; without those that have none, such as compiled modules."""
    try:
        with (info / "RECORD").open(encoding="utf-8", newline="") as file:
            return {row[0]: (row[1], int(row[2])) for row in csv.reader(file) if len(row) == 3 and row[1]}
    except (OSError, ValueError):
        return {}


def _is_whole(path: Path, size: int, digest: str) -> bool:
    """Check a file's size and, since that takes much longer, its digest only where one is given."""
    kind, _, wanted = digest.partition("=")
    try:
        if path.stat().st_size != size:
            return False
        if not digest:
            return True
        found = hashlib.new(kind)
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError:
        return False
    except ValueError:  # A digest of a kind that this Python does not know.
        return True
    return base64.urlsafe_b64encode(found.digest()).rstrip(b"=").decode() == wanted
