"""Stage 2, an Airflow connection of type ``aqueduct`` -> the specs below a prefix of its artifact store.

In: the connection's id. Out: a :class:`~aqueduct_provider.spec_sources.listing.Place`, whose folder
mirrors the store below ``cache_dir``. Whatever goes wrong here is shown by the place and logged, but never
raised: it must not hide the other DAGs of the loader.
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
from aqueduct_provider.spec_sources.listing import Place, spec_names
from aqueduct_provider.storage.layout import bucket_and_prefix
from aqueduct_provider.storage.s3 import S3Settings, connect

log = logging.getLogger(__name__)

# Airflow ends the loading of a DAG file after `[core] dagbag_import_timeout`, 30 seconds: looking for specs,
# and then making DAGs of them, must have ended before, also when S3 does not answer.
REFRESH_SECONDS = 12.0
FETCH_SECONDS = 8.0
_CONNECT_TIMEOUT = 3.0
_READ_TIMEOUT = 8.0
_ATTEMPTS = 2


@dataclass(frozen=True)
class Delivered:
    """The specs that were delivered to a store.

    :param prefix: of their keys: empty, or ending with ``/``.
    """

    connection_id: str
    prefix: str

    def place(self) -> Place:
        """The mirrored specs as they are now; none where a bundle shows the same ones.

        Shown by both, a flow would belong to whichever was parsed last, and its runs would be pinned or not
        by chance. Tasks that began here find their spec all the same.
        """
        if (self.connection_id, self.prefix.rstrip("/")) in config.stores_of_bundles():
            log.warning(
                "A bundle of [dag_processor] dag_bundle_config_list shows the specs in the store of %r, so "
                "this loader does not. Remove the connection from the loader.",
                self.connection_id,
            )
            return Place(Path(), ())
        return self._mirrored(self._all)

    def places_with(self, dag_id: str) -> Iterator[Place]:
        """The one spec that may hold a DAG, fetched with one request."""
        yield self._mirrored(lambda where, folder: self._one(where, folder, f"{dag_id}.json"))

    def _mirrored(self, look: Callable[[_Where, Path], Place]) -> Place:
        try:
            where = _Where(AqueductHook(self.connection_id).settings(), self.prefix, self.connection_id)
            return look(where, where.folder())
        except Exception as exc:
            return self._failed(Place(Path(), ()), exc)

    def _all(self, where: _Where, folder: Path) -> Place:
        error = _error_of(lambda: where.refresh(folder))
        state = mirror.state_of(folder)
        place = Place(folder, spec_names(folder), where.origin, state.problems)
        if error is None:
            return place
        if not state.complete:
            return self._failed(place, error)
        log.warning("The specs of %s are shown as they last were. %s", where.origin, _message(error))
        return place

    def _one(self, where: _Where, folder: Path, name: str) -> Place:
        error = _error_of(lambda: where.fetch(folder, name))
        mirrored = (folder / name).is_file()
        if isinstance(error, ObjectNotFound) and not mirrored:
            log.info("%s", error)
        elif error is not None:
            then = "The task uses the version fetched before." if mirrored else "The task cannot run."
            log.log(logging.WARNING if mirrored else logging.ERROR, "%s %s", _message(error), then)
        return Place(folder, (name,) if mirrored else (), where.origin)

    def _failed(self, place: Place, error: Exception) -> Place:
        message = _message(error)
        log.error("The specs in the store of %r cannot be read. %s", self.connection_id, message)
        return replace(place, connection_id=self.connection_id, failure=message)


@dataclass(frozen=True)
class _Where:
    settings: S3Settings
    prefix: str
    connection_id: str

    @property
    def origin(self) -> str:
        bucket, root = bucket_and_prefix(self.settings.bucket, self.settings.root_dir)
        return f"s3://{bucket}/{root}{self.prefix}"

    def folder(self) -> Path:
        """Of this store alone: several Airflows of a machine may share ``cache_dir``."""
        names = "\n".join((self.connection_id, self.settings.endpoint_url, self.origin))
        root = config.cache_dir()
        folder = root / "specs" / hashlib.sha256(names.encode()).hexdigest()[:32]
        mirror.prepare(folder, root)
        return folder

    def refresh(self, folder: Path) -> None:
        workers = self.settings.max_connections
        store = connect(impatient(self.settings))
        mirror.refresh(store, self.prefix, folder, workers=workers, seconds=REFRESH_SECONDS)

    def fetch(self, folder: Path, name: str) -> None:
        # With the settings of the task that follows, so that it finds its client made.
        mirror.fetch(connect(self.settings), self.prefix, name, folder, seconds=FETCH_SECONDS)


def impatient(settings: S3Settings) -> S3Settings:
    """The same store, for those who look for changes and can as well look again later."""
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
