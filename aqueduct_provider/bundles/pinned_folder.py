"""A pinned version on this machine: a folder of stubs apart from the tracking folder.

In: a version's id, and how to fetch it. Out: ``versions/<id>/``, with the list of files in a hidden file and
the stubs that are needed: a task needs one of thousands. Its name is noted in another hidden file, so that
later tasks of its DAG need not read the list. Airflow removes the folders of versions that tasks have used;
those that only the DAG processor has used are removed here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from aqueduct_provider.bundles.bundle_version import BundleVersion
from aqueduct_provider.bundles.latest import stubs_of
from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.storage.files import is_old, replacing
from aqueduct_provider.storage.private_folder import private_folder

_LIST = ".aqueduct-version.json"


def prepare(folder: Path, version_id: str, fetch: Callable[[str], BundleVersion], dag_id: str | None) -> None:
    """Make the stubs of a version, those of one DAG or of all.

    :param folder: of this version alone.
    :param fetch: gives the version where this machine does not know it yet.
    :param dag_id: of the task that is to run; None: all are needed.
    """
    with suppress(FileNotFoundError):
        # So that it does not look unused.
        os.utime(folder)
    if dag_id is not None and _is_made(folder, dag_id):
        return
    version = _known(folder, version_id)
    if version is None:
        version = fetch(version_id)
        private_folder(folder)
        _write(folder / _LIST, version.to_json())
    holder = version.holder(dag_id) if dag_id is not None else ""
    wanted = BundleVersion({holder: version.files[holder]}) if holder else version
    stubs = stubs_of(wanted)
    for name, text in stubs.items():
        if not (folder / name).exists():
            _write(folder / name, text.encode())
    if dag_id is not None and holder:
        _write(_note(folder, dag_id), os.fsencode(next(iter(stubs))))


def drop_unused(versions: Path, tracked: Path, seconds: float) -> None:
    """Remove folders of versions that nothing has used for so long, and that Airflow does not look after.

    :param tracked: the folder in which Airflow has one file for each version that tasks have used.
    """
    if not versions.is_dir():
        return
    for folder in versions.iterdir():
        if not (tracked / folder.name).exists() and is_old(folder.stat(), seconds):
            shutil.rmtree(folder, ignore_errors=True)


def _is_made(folder: Path, dag_id: str) -> bool:
    """Check whether the stub of a DAG is there, as a task before this one has noted."""
    try:
        return (folder / os.fsdecode(_note(folder, dag_id).read_bytes())).is_file()
    except FileNotFoundError:
        return False


def _note(folder: Path, dag_id: str) -> Path:
    return folder / f".aqueduct-dag-{hashlib.sha256(dag_id.encode()).hexdigest()[:32]}"


def _known(folder: Path, version_id: str) -> BundleVersion | None:
    try:
        return BundleVersion.from_json((folder / _LIST).read_bytes(), version_id)
    except (FileNotFoundError, IntegrityError):
        return None


def _write(path: Path, data: bytes) -> None:
    with replacing(path) as file:
        file.write(data)
