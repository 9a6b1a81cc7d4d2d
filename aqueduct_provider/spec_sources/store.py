"""The specs below a prefix of the store of an Airflow connection, mirrored into a folder.

A loader must show its other DAGs whatever goes wrong here, so :class:`SpecStore` logs failures and puts
them into its listing. The bundle, which keeps its last good state, calls ``refresh``, which raises them.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from aqueduct_provider import config
from aqueduct_provider.errors import AqueductError, ConfigError, DiskError, ObjectNotFound, unforeseen
from aqueduct_provider.hooks.aqueduct import AqueductHook
from aqueduct_provider.spec_sources import mirror
from aqueduct_provider.spec_sources.listing import Listing, spec_names
from aqueduct_provider.storage.held_folder import temporary_folder
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
        """List the one spec that may hold a DAG, fetched with one request.

        Where it cannot be mirrored it is fetched for this task alone, which then starts and shows itself what
        is wrong: of a task without a DAG, Airflow reports nothing and starts it again and again.
        """
        with ExitStack() as stack:
            yield self._listed(lambda settings: self._one(settings, f"{dag_id}.json", stack))

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

    def _listed(self, look: Callable[[S3Settings], Listing]) -> Listing:
        try:
            return look(AqueductHook(self.connection_id).settings())
        except Exception as exc:
            return self._failed(Listing(Path(), ()), exc)

    def _folder(self, settings: S3Settings) -> Path:
        """Make the folder of this store alone: several Airflows of a machine may share ``cache_dir``."""
        names = "\n".join((self.connection_id, settings.endpoint_url, self._origin(settings)))
        root = config.cache_dir()
        folder = root / "specs" / hashlib.sha256(names.encode()).hexdigest()[:32]
        mirror.prepare(folder, root)
        return folder

    def _all(self, settings: S3Settings) -> Listing:
        folder = self._folder(settings)
        error = _error_of(lambda: self.refresh(settings, folder, REFRESH_SECONDS))
        listing = self.mirrored(settings, folder)
        if error is None:
            return listing
        if not mirror.state_of(folder).complete:
            return self._failed(listing, error)
        log.warning("The specs of %s are shown as they last were. %s", listing.origin, _message(error))
        return listing

    def _one(self, settings: S3Settings, name: str, stack: ExitStack) -> Listing:
        folder, error = self._fetched(settings, name, lambda: self._folder(settings))
        if isinstance(error, (ConfigError, DiskError)):
            log.warning("%s The task fetches its spec for itself.", _message(error))
            private = partial(stack.enter_context, temporary_folder("spec"))
            folder, error = self._fetched(settings, name, private)
        mirrored = (folder / name).is_file()
        if isinstance(error, ObjectNotFound) and not mirrored:
            log.info("%s", error)
        elif error is not None:
            then = "The task uses the version fetched before." if mirrored else "The task cannot run."
            log.log(logging.WARNING if mirrored else logging.ERROR, "%s %s", _message(error), then)
        return Listing(folder, (name,) if mirrored else (), self._origin(settings))

    def _fetched(
        self, settings: S3Settings, name: str, make_folder: Callable[[], Path]
    ) -> tuple[Path, Exception | None]:
        """Fetch a spec; return its folder, and why it may be missing there or be an earlier version."""
        folder = Path(os.devnull)
        try:
            folder = make_folder()
            self._fetch(settings, folder, name)
        except Exception as error:
            return folder, error
        return folder, None

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
