"""The specs below a prefix of the store of an Airflow connection, mirrored into a folder.

A loader must show its other DAGs whatever goes wrong here, so :class:`SpecStore` logs failures and puts
them into its listing. The bundle, which keeps its last good state, calls ``refresh``, which raises them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from aqueduct_provider import config
from aqueduct_provider.errors import AqueductError, ObjectNotFound, unforeseen
from aqueduct_provider.hooks.aqueduct import AqueductHook
from aqueduct_provider.spec_sources import mirror
from aqueduct_provider.spec_sources.listing import Listing, spec_names
from aqueduct_provider.storage.layout import bucket_and_prefix
from aqueduct_provider.storage.s3 import S3Settings, connect

log = logging.getLogger(__name__)

# Airflow ends the loading of a DAG file after `[core] dagbag_import_timeout`, 30 seconds: listing the specs,
# and then making DAGs of them, must have ended before, also when S3 does not answer.
REFRESH_SECONDS = 12.0
FETCH_SECONDS = 8.0
_CONNECT_TIMEOUT = 3.0
_READ_TIMEOUT = 8.0
_ATTEMPTS = 2


@dataclass(frozen=True)
class SpecStore:
    """The specs in a store.

    :param prefix: prefix of their keys: empty, or ending with ``/``.
    """

    connection_id: str
    prefix: str

    def listing(self) -> Listing:
        """List the mirrored specs as they are now; none where a bundle shows the same ones.

        Shown by both, a flow would belong to whichever was parsed last, and its runs would be pinned or not
        by chance. Tasks that began here find their spec all the same.
        """
        if (self.connection_id, self.prefix.rstrip("/")) in config.stores_of_bundles():
            log.warning(
                "A bundle of [dag_processor] dag_bundle_config_list shows the specs in the store of %r, so "
                "this loader does not. Remove the connection from the loader.",
                self.connection_id,
            )
            return Listing(Path(), ())
        return self._listed(self._all)

    def listings_with(self, dag_id: str) -> Iterator[Listing]:
        """List the one spec that may hold a DAG, fetched with one request."""
        yield self._listed(lambda settings, folder: self._one(settings, folder, f"{dag_id}.json"))

    def refresh(self, settings: S3Settings, folder: Path, seconds: float) -> None:
        """Bring the mirror in a folder up to date.

        :param settings: those of the connection.
        :raises StorageError: the store or the folder does not do what is asked.
        :raises ConfigError: others than its owner can write to the folder.
        """
        workers = settings.max_connections
        mirror.refresh(connect(impatient(settings)), self.prefix, folder, workers=workers, seconds=seconds)

    def mirrored(self, settings: S3Settings, folder: Path) -> Listing:
        """List the specs in a mirror as they were last fetched."""
        return Listing(folder, spec_names(folder), self._origin(settings), mirror.state_of(folder).problems)

    def _origin(self, settings: S3Settings) -> str:
        bucket, root = bucket_and_prefix(settings.bucket, settings.root_dir)
        return f"s3://{bucket}/{root}{self.prefix}"

    def _listed(self, look: Callable[[S3Settings, Path], Listing]) -> Listing:
        try:
            settings = AqueductHook(self.connection_id).settings()
            return look(settings, self._folder(settings))
        except Exception as exc:
            return self._failed(Listing(Path(), ()), exc)

    def _folder(self, settings: S3Settings) -> Path:
        """Make the folder of this store alone: several Airflows of a machine may share ``cache_dir``."""
        names = "\n".join((self.connection_id, settings.endpoint_url, self._origin(settings)))
        root = config.cache_dir()
        folder = root / "specs" / hashlib.sha256(names.encode()).hexdigest()[:32]
        mirror.prepare(folder, root)
        return folder

    def _all(self, settings: S3Settings, folder: Path) -> Listing:
        error = _error_of(lambda: self.refresh(settings, folder, REFRESH_SECONDS))
        listing = self.mirrored(settings, folder)
        if error is None:
            return listing
        if not mirror.state_of(folder).complete:
            return self._failed(listing, error)
        log.warning("The specs of %s are shown as they last were. %s", listing.origin, _message(error))
        return listing

    def _one(self, settings: S3Settings, folder: Path, name: str) -> Listing:
        error = _error_of(lambda: self._fetch(settings, folder, name))
        mirrored = (folder / name).is_file()
        if isinstance(error, ObjectNotFound) and not mirrored:
            log.info("%s", error)
        elif error is not None:
            then = "The task uses the version fetched before." if mirrored else "The task cannot run."
            log.log(logging.WARNING if mirrored else logging.ERROR, "%s %s", _message(error), then)
        return Listing(folder, (name,) if mirrored else (), self._origin(settings))

    def _fetch(self, settings: S3Settings, folder: Path, name: str) -> None:
        # With the settings of the task that follows, so that it finds its client made.
        mirror.fetch(connect(settings), self.prefix, name, folder, seconds=FETCH_SECONDS)

    def _failed(self, listing: Listing, error: Exception) -> Listing:
        message = _message(error)
        log.error("The specs in the store of %r cannot be read. %s", self.connection_id, message)
        return replace(listing, connection_id=self.connection_id, failure=message)


def impatient(settings: S3Settings) -> S3Settings:
    """Return the same store for those who look for changes and can look again later."""
    return replace(
        settings,
        connect_timeout=min(settings.connect_timeout, _CONNECT_TIMEOUT),
        read_timeout=min(settings.read_timeout, _READ_TIMEOUT),
        max_attempts=min(settings.max_attempts, _ATTEMPTS),
    )


def _error_of(call: Callable[[], None]) -> Exception | None:
    try:
        call()
    except Exception as error:
        return error
    return None


def _message(error: Exception) -> str:
    return str(error) if isinstance(error, AqueductError) else unforeseen(error)
