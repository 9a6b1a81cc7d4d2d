"""The latest state of a bundle: a listing -> contents by digest, one stub for each spec, and a version.

In: a source and the bundle's folder. Out: ``tracking/<spec>.py``, ``contents/<sha256>.json`` and the state
file, written last. A file that has not changed is neither read nor written. Callers hold the bundle's lock.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import cache_from_source
from pathlib import Path

from aqueduct_provider.bundles.bundle_version import BundleVersion, SpecFile
from aqueduct_provider.bundles.contents import content_path, keep_content
from aqueduct_provider.bundles.stub import SUFFIX, TRACKING, stub_name, stub_text
from aqueduct_provider.errors import SpecError, unforeseen
from aqueduct_provider.factory.time_limit import time_limit
from aqueduct_provider.spec.document import MAX_BYTES, content, json_value
from aqueduct_provider.spec.spec_files import is_foreign
from aqueduct_provider.spec_sources.listing import Listing
from aqueduct_provider.storage.files import is_old, remove_partials, replacing
from aqueduct_provider.storage.local import stamp
from aqueduct_provider.storage.private_folder import private_folder

log = logging.getLogger(__name__)

_STATE = ".aqueduct-head.json"
_LOOKED = ".aqueduct-looked"
_VERSION = 1
# Seconds: what no version of this machine names may still be on its way to a stub.
_UNUSED = 86_400


@dataclass(frozen=True)
class BundleState:
    """The latest state.

    :param origin: of the specs; another origin makes another bundle of it.
    :param stamps: file name -> stamp of the file and what it was; foreign files are among them.
    :param stubs: name of a stub -> digest of what it was written with.
    :param pinned: whether the version is in the store.
    """

    origin: str
    stamps: Mapping[str, tuple[str, SpecFile | None]]
    stubs: Mapping[str, str]
    pinned: bool

    @property
    def version(self) -> BundleVersion:
        """The version that this is."""
        return BundleVersion({name: file for name, (_, file) in self.stamps.items() if file is not None})


def state_of(base: Path) -> BundleState | None:
    """Return the state of the bundle in a folder; None where there is none yet."""
    try:
        document = json_value((base / _STATE).read_bytes())
        if document["version"] != _VERSION:
            return None
        stamps = {
            name: (mark, None if facts is None else SpecFile(*facts))
            for name, (mark, facts) in document["stamps"].items()
        }
        return BundleState(document["origin"], stamps, document["stubs"], document["pinned"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def scan(listing: Listing, base: Path, before: BundleState | None) -> BundleState:
    """Read what the specs are now. Contents that are new are kept; nothing that Airflow sees is changed.

    :param base: the bundle's folder.
    :param before: the last state, by which unchanged files are known.
    """
    known = before.stamps if before else {}
    stamps: dict[str, tuple[str, SpecFile | None]] = {}
    for name, mark in _marks(listing):
        old = known.get(name)
        stamps[name] = old if old is not None and old[0] == mark else (mark, _read(listing, name, base))
    for name, problem in listing.problems.items():
        if name not in stamps:
            stamps[name] = ("", SpecFile("", problem=problem))
    return BundleState(listing.origin, stamps, before.stubs if before else {}, pinned=False)


def write_stubs(state: BundleState, base: Path, before: BundleState | None) -> BundleState:
    """Make the stubs those of this state, and write it down where it is another than before."""
    folder = base / TRACKING
    private_folder(folder)
    wanted = stubs_of(state.version)
    there = {entry.name for entry in os.scandir(folder)}
    for name, text in wanted.items():
        if name not in there or state.stubs.get(name) != _digest(text):
            write_stub(folder / name, text)
    for name in there - wanted.keys():
        if name.endswith(SUFFIX):
            (folder / name).unlink(missing_ok=True)
            _forget_compiled(folder / name)
    shown = replace(state, stubs={name: _digest(text) for name, text in wanted.items()})
    if shown != before:
        _save(shown, base)
    (base / _LOOKED).touch()
    return shown


def last_look(base: Path) -> float:
    """Return when the state was last known to be that of the source, in seconds since the epoch."""
    try:
        return (base / _LOOKED).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def write_stub(path: Path, text: str) -> None:
    """Replace a stub so that Python, too, sees that it has changed.

    Python knows compiled files by the size of their source, which is the same for all stubs, and by the whole
    second in which it was written.
    """
    old = path.stat().st_mtime if path.exists() else 0.0
    with replacing(path) as file:
        file.write(text.encode())
        file.flush()
        if int(os.fstat(file.fileno()).st_mtime) <= int(old):
            os.utime(file.fileno(), (int(old) + 1, int(old) + 1))
    _forget_compiled(path)


def _forget_compiled(path: Path) -> None:
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


def stubs_of(version: BundleVersion) -> dict[str, str]:
    """Return the text of every stub of a version by file name."""
    holders = version.holders()
    return {
        stub_name(name): stub_text(
            file.sha256,
            taken_by="" if holders.get(file.dag_id, name) == name else holders[file.dag_id],
            problem=file.problem,
        )
        for name, file in version.files.items()
    }


def drop_unused(base: Path, state: BundleState) -> None:
    """Remove old contents that the latest state does not name; a stub that needs one fetches it again."""
    used = {file.sha256 for file in state.version.files.values()}
    folder = base / "contents"
    if not folder.is_dir():
        return
    for part in (base, base / TRACKING, folder):
        remove_partials(part)
    for path in folder.iterdir():
        if path.stem not in used and is_old(path.stat(), _UNUSED):
            path.unlink(missing_ok=True)


def _marks(listing: Listing) -> Iterator[tuple[str, str]]:
    for name in listing.names:
        try:
            yield name, stamp((listing.folder / name).stat())
        except OSError:
            # A link that leads nowhere is a problem to show; a file that has just gone is none.
            if (listing.folder / name).is_symlink():
                yield name, "broken link"


def _read(listing: Listing, name: str, base: Path) -> SpecFile | None:
    """Read what a file is; None: foreign, nothing to show."""
    path = listing.folder / name
    try:
        if not path.is_file():
            return SpecFile("", problem="not a file; put specs directly into the folder")
        data = content(path)
    except OSError as error:
        return SpecFile("", problem=f"cannot be read: {error.strerror or error}")
    if len(data) > MAX_BYTES:
        return SpecFile("", problem=f"larger than {MAX_BYTES >> 20} MiB; keep large defaults in the store")
    dag_id = _dag_id(data, listing.origin + name)
    if dag_id is None:
        return None
    sha256 = hashlib.sha256(data).hexdigest()
    if not content_path(base, sha256).exists():
        keep_content(base, sha256, data)
    return SpecFile(sha256, dag_id)


def _dag_id(data: bytes, label: str) -> str | None:
    """Return a spec's DAG id; empty: the spec is wrong, which its stub then shows; None: it is foreign."""
    from aqueduct_provider.spec import loader

    try:
        with time_limit(label):
            return loader.parse(data, label).dag_id
    except SpecError:
        if is_foreign(data):
            log.info("%s is not an Aqueduct spec; it is left alone", label)
            return None
    except Exception as error:
        log.error("%s cannot be read as a spec: %s", label, unforeseen(error))
    return ""


def _save(state: BundleState, base: Path) -> None:
    stamps = {
        name: [mark, None if file is None else [file.sha256, file.dag_id, file.problem]]
        for name, (mark, file) in state.stamps.items()
    }
    facts = {"version": _VERSION, "origin": state.origin, "pinned": state.pinned}
    document = {**facts, "stamps": stamps, "stubs": dict(state.stubs)}
    with replacing(base / _STATE) as file:
        file.write(json.dumps(document, separators=(",", ":")).encode())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
