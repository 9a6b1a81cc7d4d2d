"""Use a bucket of Google Cloud Storage as an ``ObjectStore``, through Google's own client.

In: keys, bytes and files. Out: the same, streamed, and errors that say how to fix them. The client compares
objects with their CRC32C checksums. With ``gcs_errors`` the only code that uses it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from aqueduct_provider.errors import BucketNotFound, ConfigError, ObjectNotFound, StorageError
from aqueduct_provider.storage.bodies import Mark, Part, Received, new_mark
from aqueduct_provider.storage.disk_errors import translate_disk_errors
from aqueduct_provider.storage.files import digest_file, open_no_link, replacing
from aqueduct_provider.storage.gcs_connector import GcsSettings, connector_settings
from aqueduct_provider.storage.gcs_errors import translated
from aqueduct_provider.storage.google_credentials import google_credentials, limited
from aqueduct_provider.storage.layout import bucket_and_prefix
from aqueduct_provider.storage.object_store import BucketStore, Entry, StoredObject
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.storage.patience import IMPATIENT, Patience, Transfer

__all__ = ["GcsSettings", "GcsStore", "connect", "connector_settings"]

# What an upload holds in memory at once; the client's own default is 100 MB.
_PART = 8 << 20
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_BINARY = "application/octet-stream"
_Result = TypeVar("_Result")


def connect(settings: GcsSettings, patience: Patience = IMPATIENT) -> GcsStore:
    """Connect to the store that the settings name.

    Sends no request, unless default credentials have to be fetched.

    :param patience: that of a task; in place of ``retry_seconds``, so that one of the two repeats requests.
    :raises ConfigError: the bucket's name or the service account's key cannot be one.
    :raises CredentialsError: no application default credentials were found.
    """
    bucket, prefix = bucket_and_prefix(settings.bucket, settings.root_dir)
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", bucket):
        raise ConfigError(
            f"{settings.bucket!r} is not a valid bucket name: use 3-63 lower-case letters, digits, dots, "
            "hyphens and underscores, or gs://bucket/some/prefix."
        )
    with translated(f"gs://{bucket}/{prefix}"):
        return GcsStore(_client(settings), bucket, prefix, settings, patience)


def _client(settings: GcsSettings) -> Any:
    from google.cloud import storage
    from requests.adapters import HTTPAdapter

    credentials, project = _credentials(settings)
    options = {"api_endpoint": settings.endpoint} if settings.endpoint else None
    # Only what lists or makes buckets asks for the project.
    client = storage.Client(
        project=settings.project or project or "none", credentials=credentials, client_options=options
    )
    # With more threads than connections, requests would drop connections that could be used again.
    for scheme in ("https://", "http://"):
        client._http.mount(scheme, HTTPAdapter(pool_maxsize=settings.max_connections))
    return client


def _credentials(settings: GcsSettings) -> tuple[Any, str | None]:
    from google.auth.credentials import AnonymousCredentials

    account = settings.service_account
    if account is None and settings.endpoint:
        return AnonymousCredentials(), None
    try:
        return google_credentials(account, settings.options, [_SCOPE])
    except ValueError:
        # Not `from error`: it may show what the key holds.
        raise ConfigError(
            "The GCS connector has 1 problem: private_key in service_account_credentials is not a PEM key. "
            "Paste the key file as Google created it."
        ) from None


class GcsStore(BucketStore):
    """Objects below one prefix of one bucket; its client is one of google-cloud-storage."""

    scheme = "gs"

    def __init__(
        self, client: Any, bucket: str, prefix: str, settings: GcsSettings, patience: Patience = IMPATIENT
    ) -> None:
        from google.cloud.storage.retry import DEFAULT_RETRY

        super().__init__(client, bucket, prefix, patience)
        self._settings = settings
        self._retry = DEFAULT_RETRY.with_timeout(settings.retry_seconds)

    @property
    def _request(self) -> dict[str, Any]:
        """Return how to send one request; its retries are counted."""
        options = self._settings.options
        is_patient = self.patience.seconds is not None and not options.get("num_retries")
        return {
            "timeout": self._settings.timeout,
            "retry": None if is_patient else limited(self._retry, options),
        }

    def get(self, key: str) -> bytes:
        def fetch(transfer: Transfer) -> bytes:
            buffer = io.BytesIO()
            self._download(key, buffer, transfer)
            return buffer.getvalue()

        return self._ask(key, fetch)

    def put(self, key: str, data: bytes) -> None:
        self._ask(
            key,
            lambda _: self._blob(key).upload_from_string(data, _BINARY, checksum="crc32c", **self._request),
        )

    def put_new(self, key: str, data: bytes) -> bool:
        mark = new_mark()
        return self._ask(key, lambda _: self._put_new(key, data, mark))

    def get_file(self, key: str, path: Path) -> StoredObject:
        with self._door(key), translate_disk_errors(path.parent), replacing(path) as file:
            self._ask(key, partial(self._download, key, file))
            file.flush()
            return digest_file(Path(file.name))

    def put_file(self, key: str, path: Path) -> StoredObject:
        with self._door(key):
            stored = digest_file(path)

        def send(transfer: Transfer) -> None:
            with open_no_link(path) as file:
                body = Part(file, 0, stored.size, transfer)
                self._blob(key, _PART).upload_from_file(
                    body, size=stored.size, content_type=_BINARY, checksum="crc32c", **self._request
                )

        self._ask(key, send)
        return stored

    def exists(self, key: str) -> bool:
        if self._ask(key, lambda _: bool(self._blob(key).exists(**self._request))):
            return True
        self._see_bucket()
        return False

    def entries(self, prefix: str) -> Iterator[Entry]:
        for page in self._pages(prefix):
            for blob in page:
                key, written = blob.name.removeprefix(self.prefix), blob.updated.timestamp()
                yield Entry(key, f"{blob.generation}", blob.size, written)

    def folders(self, prefix: str) -> Iterator[str]:
        start = self.prefix + prefix
        for page in self._pages(prefix, delimiter="/"):
            for part in sorted(page.prefixes):
                yield part.removeprefix(start).removesuffix("/")

    def delete(self, keys: Iterable[str]) -> None:
        together([partial(self._delete, key) for key in keys], self._settings.max_connections)

    def _look(self) -> None:
        self._page("", max_results=1)

    def _download(self, key: str, file: IO[bytes], transfer: Transfer) -> None:
        """Write an object into a file, in place of what an earlier attempt has left there."""
        received = Received(file, transfer)
        self._blob(key).download_to_file(received, checksum="crc32c", **self._request)

    def _put_new(self, key: str, data: bytes, mark: Mark) -> bool:
        from google.api_core.exceptions import PreconditionFailed

        blob = self._blob(key)
        blob.metadata = mark
        try:
            blob.upload_from_string(data, _BINARY, checksum="crc32c", if_generation_match=0, **self._request)
        except PreconditionFailed:
            # What is there may be what an earlier request of this call wrote, whose answer was lost.
            found = self._blob(key)
            found.reload(**self._request)
            return mark.items() <= (found.metadata or {}).items()
        return True

    def _delete(self, key: str) -> None:
        self._ask(key, lambda _: self._delete_one(key))

    def _delete_one(self, key: str) -> None:
        from google.api_core.exceptions import NotFound

        try:
            self._blob(key).delete(**self._request)
        except NotFound:
            self._see_bucket()

    def _blob(self, key: str, part: int | None = None) -> Any:
        return self.client.bucket(self.bucket).blob(self.prefix + key, chunk_size=part)

    @contextmanager
    def _door(self, key: str) -> Iterator[None]:
        try:
            with translated(self.url(key)):
                yield
        except ObjectNotFound:
            self._see_bucket()
            raise

    def _pages(self, prefix: str, **more: Any) -> Iterator[Any]:
        """Yield the pages of a listing. An iterator of the client ends with the first page that fails."""
        while True:
            blobs, page = self._ask(prefix, lambda _: self._page(prefix, **more))
            yield page
            if not blobs.next_page_token:
                return
            more["page_token"] = blobs.next_page_token

    def _page(self, prefix: str, **more: Any) -> tuple[Any, Any]:
        """Listings find no prefix that is not there, so what is missing is the bucket."""
        fields = "items(name,generation,size,updated),prefixes,nextPageToken"
        try:
            with translated(self.url(prefix)):
                blobs = self.client.list_blobs(
                    self.bucket, prefix=self.prefix + prefix, fields=fields, **more, **self._request
                )
                return blobs, next(blobs.pages)
        except ObjectNotFound as error:
            raise BucketNotFound(
                f"{self.url(prefix)}: the bucket {self.bucket!r} does not exist. Correct its name or create "
                "it."
            ) from error

    def _see_bucket(self) -> None:
        # Who may not list the bucket may still have the right to its objects.
        try:
            super()._see_bucket()
        except BucketNotFound:
            raise
        except StorageError:
            return
