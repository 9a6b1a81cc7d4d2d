"""Where a bundle's specs and its pins are: in a store behind an Airflow connection, or in a folder.

The facts of a source are also in a small file of the bundle's folder, where stubs find them. They hold no
secret.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from aqueduct_provider.errors import ConfigError, StorageError
from aqueduct_provider.spec.document import json_value
from aqueduct_provider.spec_sources import mirror
from aqueduct_provider.spec_sources.folder import SpecFolder
from aqueduct_provider.spec_sources.listing import Listing
from aqueduct_provider.storage.files import replacing
from aqueduct_provider.storage.layout import DEFAULT_CONNECTION, key_prefix
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.s3 import S3Settings, connect

_FACTS = ".aqueduct-source.json"
# Below this many seconds of looking for changes, the DAG processor's other bundles hardly notice.
_REFRESH_SECONDS = 12.0
# Nothing is shown before the first time is done: rather late than as if the other flows had been deleted.
_FIRST_SECONDS = 300.0
# Pins of a folder's specs are in it, where listings of specs do not see them.
_PINS = ".aqueduct-pins"


@dataclass(frozen=True)
class BundleStore:
    """Specs below a prefix of the store of an Airflow connection."""

    connection_id: str
    prefix: str

    def specs(self, base: Path) -> Listing:
        """List the specs, up to date.

        :param base: the bundle's folder.
        :raises StorageError: they cannot be read.
        :raises ConfigError: the connection is wrong.
        """
        from aqueduct_provider.spec_sources.store import SpecStore

        settings, folder = self._settings(), base / "specs"
        first = not mirror.state_of(folder).complete
        seconds = _FIRST_SECONDS if first else _REFRESH_SECONDS
        store = SpecStore(self.connection_id, self.prefix)
        store.refresh(settings, folder, seconds)
        listing = store.mirrored(settings, folder)
        if not mirror.state_of(folder).complete:
            raise StorageError(f"Not all specs of {listing.origin} came within {seconds:g} s.")
        return listing

    def pins(self) -> ObjectStore:
        """Return the store of the pinned versions."""
        return connect(self._settings())

    def _settings(self) -> S3Settings:
        """Look the connection up, in a thread of its own.

        Airflow 3.0 refreshes bundles within a database session of its thread, which a lookup in the same
        thread closes: then it never remembers the version, nor when it looked last.
        """
        from aqueduct_provider.hooks.aqueduct import AqueductHook

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(AqueductHook(self.connection_id).settings).result()

    def console_url(self) -> str | None:
        """Return where the AWS console shows a version, with ``{version}`` in its place; None elsewhere.

        :raises ConfigError: Airflow has no such connection.
        """
        from urllib.parse import quote

        from aqueduct_provider.storage.layout import bucket_and_prefix, pinned_version

        settings = self._settings()
        if settings.endpoint_url or not settings.region:
            return None
        bucket, root = bucket_and_prefix(settings.bucket, settings.root_dir)
        key = quote(root, safe="/") + pinned_version("{version}")
        return f"https://{settings.region}.console.aws.amazon.com/s3/object/{bucket}?prefix={key}"


@dataclass(frozen=True)
class BundleFolder:
    """Specs in a folder that every machine of this Airflow has."""

    folder: str

    def specs(self, base: Path) -> Listing:  # noqa: ARG002
        return replace(SpecFolder(Path(self.folder)).listing(), origin=f"{self.folder}/")

    def pins(self) -> ObjectStore:
        from aqueduct_provider.storage.local import LocalStore

        return LocalStore(Path(self.folder) / _PINS)


BundleSource = BundleStore | BundleFolder


def make_source(connection_id: str, prefix: str, folder: str) -> BundleSource:
    """Return the source that the ``kwargs`` of a bundle name.

    :raises ConfigError: they contradict each other.
    """
    if folder and connection_id:
        raise ConfigError(
            "kwargs of AqueductDagBundle: give connection_id, for specs in S3, or folder, for specs on disk; "
            "not both."
        )
    if folder:
        if not Path(folder).is_absolute():
            raise ConfigError(f"kwargs of AqueductDagBundle: folder must begin with /, not {folder!r}.")
        return BundleFolder(folder)
    return BundleStore(connection_id or DEFAULT_CONNECTION, key_prefix(prefix))


def keep_source(base: Path, source: BundleSource, origin: str = "") -> None:
    """Write down, where stubs find it, what the bundle's source is.

    :param origin: the prefix of a spec's name in messages; empty: as before.
    """
    facts: dict[str, str] = asdict(source) | {"origin": origin or origin_of(base)}
    if _facts(base) != facts:
        with replacing(base / _FACTS) as file:
            file.write(json.dumps(facts).encode())


def source_of(base: Path) -> BundleSource:
    """Return the source of the bundle in a folder.

    :raises StorageError: it is not the folder of a bundle.
    """
    facts = _facts(base)
    facts.pop("origin", None)
    if not facts:
        raise StorageError(f"{base} is not the folder of an AqueductDagBundle: {_FACTS} is missing.")
    return BundleFolder(**facts) if "folder" in facts else BundleStore(**facts)


def origin_of(base: Path) -> str:
    """Return the prefix of a spec's name in messages; it may be empty."""
    return _facts(base).get("origin", "")


def _facts(base: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json_value((base / _FACTS).read_bytes())
    except (OSError, ValueError):
        return {}
    return found
