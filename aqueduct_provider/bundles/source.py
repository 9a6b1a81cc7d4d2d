"""Where a bundle's specs come from, and where its pins lie: a store behind an Airflow connection, or a
folder.

In: what the bundle's ``kwargs`` name. Out: a :class:`Source`, whose specs are files of a folder: those of a
store are mirrored there first. The facts stand in a small file of the bundle's folder, too, where stubs find
them. No secret is among them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from aqueduct_provider.errors import ConfigError, StorageError
from aqueduct_provider.spec.document import json_value
from aqueduct_provider.spec_sources import mirror
from aqueduct_provider.spec_sources.listing import spec_names
from aqueduct_provider.storage.files import replacing
from aqueduct_provider.storage.layout import DEFAULT_CONNECTION
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.s3 import S3Settings, connect

_FACTS = ".aqueduct-source.json"
# Below this many seconds of looking for changes, the DAG processor's other bundles hardly notice.
_REFRESH_SECONDS = 12.0
# Nothing is shown before the first time is done: rather late than as if the other flows had been deleted.
_FIRST_SECONDS = 300.0
# Pins of a folder's specs lie in it, out of sight of whoever lists specs.
_PINS = ".aqueduct-pins"


@dataclass(frozen=True)
class Specs:
    """The specs as they are now.

    :param names: of the files in ``folder``.
    :param problems: name -> why there is no such file, though there should be.
    :param origin: what stands before a name where people are told of it.
    """

    folder: Path
    names: tuple[str, ...]
    origin: str
    problems: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Gives specs, and a store for pins. Methods raise ``StorageError`` or ``ConfigError``."""

    def specs(self, base: Path) -> Specs:
        """The specs, up to date.

        :param base: the bundle's folder.
        """
        ...

    def pins(self) -> ObjectStore:
        """The store of the pinned versions."""
        ...

    def facts(self) -> dict[str, str]:
        """What :func:`source_of` makes it of again."""
        ...


@dataclass(frozen=True)
class StoreSource:
    """Specs below a prefix of the store of an Airflow connection."""

    connection_id: str
    prefix: str

    def specs(self, base: Path) -> Specs:
        from aqueduct_provider.spec_sources.store import impatient

        settings = self._settings()
        store, folder = connect(impatient(settings)), base / "specs"
        first = not mirror.state_of(folder).complete
        seconds = _FIRST_SECONDS if first else _REFRESH_SECONDS
        mirror.refresh(store, self.prefix, folder, workers=settings.max_connections, seconds=seconds)
        state = mirror.state_of(folder)
        if not state.complete:
            raise StorageError(f"Not all specs of {store.url(self.prefix)} came within {seconds:g} s.")
        return Specs(folder, spec_names(folder), store.url(self.prefix), state.problems)

    def pins(self) -> ObjectStore:
        return connect(self._settings())

    def _settings(self) -> S3Settings:
        """Look the connection up, in a thread of its own.

        Airflow 3.0 refreshes bundles within a database session of its thread, which a lookup in the same
        thread closes: then it never remembers the version, nor when it looked last.
        """
        from aqueduct_provider.hooks.aqueduct import AqueductHook

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(AqueductHook(self.connection_id).settings).result()

    def facts(self) -> dict[str, str]:
        return asdict(self)

    def console_url(self) -> str | None:
        """Where the AWS console shows a version, with ``{version}`` in its place; None elsewhere.

        :raises ConfigError: there is no such connection.
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
class FolderSource:
    """Specs in a folder that every machine of this Airflow has."""

    folder: str

    def specs(self, base: Path) -> Specs:  # noqa: ARG002
        path = Path(self.folder)
        return Specs(path, spec_names(path), f"{self.folder}/")

    def pins(self) -> ObjectStore:
        from aqueduct_provider.storage.local import LocalStore

        return LocalStore(Path(self.folder) / _PINS)

    def facts(self) -> dict[str, str]:
        return asdict(self)


def make_source(connection_id: str, prefix: str, folder: str) -> Source:
    """The source that the ``kwargs`` of a bundle name.

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
        return FolderSource(folder)
    return StoreSource(connection_id or DEFAULT_CONNECTION, prefix.rstrip("/") + "/" if prefix else "")


def keep_source(base: Path, source: Source, origin: str = "") -> None:
    """Write down, where stubs find it, what the bundle's source is.

    :param origin: what stands before a name where people are told of it; empty: as before.
    """
    facts = source.facts() | {"origin": origin or origin_of(base)}
    if _facts(base) != facts:
        with replacing(base / _FACTS) as file:
            file.write(json.dumps(facts).encode())


def source_of(base: Path) -> Source:
    """The source of the bundle in a folder.

    :raises StorageError: it is no folder of a bundle.
    """
    facts = _facts(base)
    facts.pop("origin", None)
    if not facts:
        raise StorageError(f"{base} is no folder of an AqueductDagBundle: {_FACTS} is missing.")
    return FolderSource(**facts) if "folder" in facts else StoreSource(**facts)


def origin_of(base: Path) -> str:
    """What stands before a spec's name where people are told of it; may be empty."""
    return _facts(base).get("origin", "")


def _facts(base: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json_value((base / _FACTS).read_bytes())
    except (OSError, ValueError):
        return {}
    return found
