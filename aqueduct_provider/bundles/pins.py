"""The versions of a bundle in its store: pinned once, and rebuilt from there by any machine at any time.

In: a version, and the contents of its specs. Out: two kinds of objects, both named by their content: the list
of files of a version, and each spec. Nothing is ever changed, so several processes may pin the same at once.
Old lists are removed; contents are small, and stay.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from aqueduct_provider.bundles.bundle_version import BundleVersion
from aqueduct_provider.errors import ObjectNotFound, StorageError
from aqueduct_provider.storage.layout import (
    PINNED_SPECS_PREFIX,
    PINNED_VERSIONS_PREFIX,
    pinned_spec,
    pinned_version,
)
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.parallel import together

log = logging.getLogger(__name__)

# Requests at the same time.
_REQUESTS = 16
# More contents than these are looked for in the store before they are written.
_MANY = 16
_DAY = 86_400


def pin(
    store: ObjectStore, version: BundleVersion, before: BundleVersion | None, content: Callable[[str], bytes]
) -> None:
    """Store a version, so that it can be rebuilt from its id alone. The list goes last.

    :param before: a version that is pinned; its contents are known to be in the store.
    :param content: gives the spec with a digest.
    :raises StorageError: the store cannot be written.
    """
    if before is None and store.exists(pinned_version(version.id)):
        return
    known = _digests(before) if before else set()
    missing = sorted(_digests(version) - known)
    if len(missing) > _MANY:
        there = {key.removeprefix(PINNED_SPECS_PREFIX) for key in store.list(PINNED_SPECS_PREFIX)}
        missing = [sha256 for sha256 in missing if f"{sha256}.json" not in there]
    together([partial(_put, store, sha256, content) for sha256 in missing], _REQUESTS)
    store.put(pinned_version(version.id), version.to_json())


def pinned(store: ObjectStore, version_id: str) -> BundleVersion:
    """Fetch a version that was pinned.

    :raises StorageError: it is not there, or cannot be read.
    :raises IntegrityError: it was changed.
    """
    try:
        return BundleVersion.from_json(store.get(pinned_version(version_id)), version_id)
    except ObjectNotFound as error:
        raise StorageError(
            f"Version {version_id} of the bundle is not in {store.url(PINNED_VERSIONS_PREFIX)} any more: it "
            "is older than keep_versions_days, or was deleted. Clear the run with the option to use the "
            "latest version."
        ) from error


def forget_old(store: ObjectStore, current: BundleVersion, days: float) -> int:
    """Remove the lists of versions that are older than this; how many were removed."""
    oldest = time.time() - days * _DAY
    keep = pinned_version(current.id)
    old = [
        entry.key
        for entry in store.entries(PINNED_VERSIONS_PREFIX)
        if entry.modified < oldest and entry.key != keep
    ]
    if old:
        store.delete(old)
        log.info("%d versions older than %g days were removed from %s", len(old), days, store.url(""))
    return len(old)


def _digests(version: BundleVersion) -> set[str]:
    return {file.sha256 for file in version.files.values() if file.sha256}


def _put(store: ObjectStore, sha256: str, content: Callable[[str], bytes]) -> None:
    store.put(pinned_spec(sha256), content(sha256))
