"""Use a bucket of S3 as an ``ObjectStore``.

In: keys, bytes and files. Out: the same, streamed, and errors that say how to fix them. With ``s3_client``
and ``s3_errors`` the only code that uses botocore.

How big objects move, from 64 MiB on, was measured with 256 MB on 2 shared cores against a stub server; MB/s,
medians of five. At 90 MB/s per connection and 30 ms latency (an assumption of how S3 behaves): upload 233,
with one put_object 75; download 296, in one stream 84. Without limits the difference is within the noise
(209 and 229; 334 and 311). The download of s3transfer was slower and took more memory in a single trial (175
MB/s with 51 MB, against 291 with 6 for ranges written in place), hence ranges of our own; for uploads see
``s3_upload.py``. An object above 5 GB has to be uploaded in parts anyway.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.storage.bodies import Mark, Part, new_mark
from aqueduct_provider.storage.disk_errors import translate_disk_errors
from aqueduct_provider.storage.files import digest_file, open_no_link, replacing
from aqueduct_provider.storage.layout import bucket_and_prefix
from aqueduct_provider.storage.object_store import BucketStore, Entry, StoredObject
from aqueduct_provider.storage.patience import IMPATIENT, Patience, Transfer
from aqueduct_provider.storage.read_budget import ReadBudget
from aqueduct_provider.storage.s3_bodies import read, save, save_part
from aqueduct_provider.storage.s3_client import PART_THREADS, S3Settings, client_for
from aqueduct_provider.storage.s3_errors import S3Location, body_errors, error_code, kind_of, translated
from aqueduct_provider.storage.s3_upload import Uploader, has_mark

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        ErrorTypeDef,
        GetObjectOutputTypeDef,
        ListObjectsV2OutputTypeDef,
        ObjectIdentifierTypeDef,
    )

__all__ = ["S3Settings", "S3Store", "connect"]

MIB = 1 << 20
_SMALL = MIB
_BIG = 64 * MIB
_PART = 16 * MIB
# What S3 answers to "only where there is none": there is one, or another request is writing it.
_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})
_DELETE_BATCH = 1000
_Result = TypeVar("_Result")


def connect(settings: S3Settings, patience: Patience = IMPATIENT) -> S3Store:
    """Connect to the store that the settings name.

    Sends no request, unless AWS credentials have to be fetched.

    :param patience: that of a task; in place of ``max_attempts``, so that one of the two repeats requests.
    :raises ConfigError: bucket name, region or endpoint URL cannot be one.
    :raises CredentialsError: the credentials file, the profile or its keys are missing or unusable.
    """
    bucket, prefix = bucket_and_prefix(settings.bucket, settings.root_dir)
    if not re.fullmatch(r"[A-Za-z0-9._-]{3,255}", bucket):
        raise ConfigError(
            f"{settings.bucket!r} is not a valid bucket name: use 3-63 lower-case letters, digits, dots and"
            " hyphens, or s3://bucket/some/prefix."
        )
    if patience.seconds is not None:
        settings = replace(settings, max_attempts=1)
    return S3Store(client_for(settings), bucket, prefix, patience)


class S3Store(BucketStore):
    """Objects below one prefix of one bucket; its client is an S3 client of botocore."""

    scheme = "s3"
    client: S3Client
    # Bytes that ``get`` returns at most, of all objects together; None: any number.
    budget: ReadBudget | None = None

    def get(self, key: str) -> bytes:
        def take(answer: GetObjectOutputTypeDef, transfer: Transfer) -> bytes:
            # The body has no more bytes than the answer says.
            if self.budget is not None:
                self.budget.take(self.url(key), answer["ContentLength"])
            return read(answer, transfer)

        return self._ask(key, lambda transfer: self._read(key, lambda answer: take(answer, transfer)))

    def put(self, key: str, data: bytes) -> None:
        sha256 = hashlib.sha256(data).digest()
        self._ask(key, lambda _: self._put(key, data, sha256))

    def put_new(self, key: str, data: bytes) -> bool:
        sha256, mark = hashlib.sha256(data).digest(), new_mark()
        return self._ask(key, partial(self._put_new, key, data, sha256, mark))

    def get_file(self, key: str, path: Path) -> StoredObject:
        def fetch(transfer: Transfer) -> StoredObject | None:
            return self._read(
                key, lambda answer: None if answer["ContentLength"] >= _BIG else save(answer, file, transfer)
            )

        with self._door(key), translate_disk_errors(path.parent), replacing(path) as file:
            return self._ask(key, fetch) or self._get_parts(key, file)

    def put_file(self, key: str, path: Path) -> StoredObject:
        with self._door(key):
            if path.lstat().st_size <= _SMALL:
                with open_no_link(path) as file:
                    data = file.read()
                self.put(key, data)
                return StoredObject(hashlib.sha256(data).hexdigest(), len(data))
            stored = digest_file(path)
        if stored.size >= _BIG:
            ask = partial(self._ask, key)
            uploader = Uploader(self.client, self.bucket, self.prefix + key, ask, self.patience)
            uploader.upload(path, stored.size, _PART)
            return stored

        def send(transfer: Transfer) -> None:
            with open_no_link(path) as file:
                body = cast("IO[bytes]", Part(file, 0, stored.size, transfer))
                self._put(key, body, bytes.fromhex(stored.sha256))

        self._ask(key, send)
        return stored

    def exists(self, key: str) -> bool:
        return self._ask(key, lambda _: self._exists(key))

    def entries(self, prefix: str) -> Iterator[Entry]:
        for page in self._pages(prefix):
            for item in page.get("Contents", ()):
                written = item["LastModified"].timestamp()
                yield Entry(item["Key"].removeprefix(self.prefix), item["ETag"], item["Size"], written)

    def folders(self, prefix: str) -> Iterator[str]:
        start = self.prefix + prefix
        for page in self._pages(prefix, Delimiter="/"):
            for item in page.get("CommonPrefixes", ()):
                yield item["Prefix"].removeprefix(start).removesuffix("/")

    def delete(self, keys: Iterable[str]) -> None:
        wanted = list(keys)
        self._ask("", lambda _: self._delete(wanted))

    def secrets(self) -> tuple[str, ...]:
        """Return what requests are signed with, to be masked: key id, secret key, session token.

        :raises CredentialsError: they have to be fetched first, and cannot.
        """
        keys = self.client._request_signer._credentials.get_frozen_credentials()  # type: ignore[attr-defined]
        return tuple(filter(None, (keys.access_key, keys.secret_key, keys.token)))

    def _look(self) -> None:
        self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)

    def _door(self, key: str) -> AbstractContextManager[None]:
        meta = self.client.meta
        return translated(S3Location(self.url(key), self.bucket, meta.region_name, meta.endpoint_url))

    def _exists(self, key: str) -> bool:
        from botocore.exceptions import ClientError

        try:
            self.client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        except ClientError as error:
            if error_code(error) not in ("404", "NoSuchKey", "NotFound"):
                raise
            self._see_bucket()
            return False
        return True

    def _pages(self, prefix: str, **more: Any) -> Iterator[ListObjectsV2OutputTypeDef]:
        """Yield the pages of a listing. A paginator of botocore ends with the first page that fails."""
        place = {"Bucket": self.bucket, "Prefix": self.prefix + prefix, **more}
        while True:
            page = self._ask(prefix, lambda _: self.client.list_objects_v2(**place))
            yield page
            if not page.get("NextContinuationToken"):
                return
            place["ContinuationToken"] = page["NextContinuationToken"]

    def _delete(self, keys: Sequence[str]) -> None:
        failed: list[ErrorTypeDef] = []
        for start in range(0, len(keys), _DELETE_BATCH):
            objects: list[ObjectIdentifierTypeDef] = [
                {"Key": self.prefix + key} for key in keys[start : start + _DELETE_BATCH]
            ]
            answer = self.client.delete_objects(
                Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True}
            )
            failed += answer.get("Errors", [])
        if failed:
            lines = [f"{e.get('Key')} ({e.get('Code')}: {e.get('Message')})" for e in failed[:5]]
            more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
            raise kind_of(failed[0].get("Code", ""))(
                f"{self.url('')}: {len(failed)} objects were not deleted: {', '.join(lines)}{more}."
                " The others are. Check s3:DeleteObject of these credentials, then try again."
            )

    def _put(self, key: str, body: bytes | IO[bytes], sha256: bytes, **more: Any) -> None:
        """Upload bytes with a checksum: S3 refuses damaged bytes, and botocore need not compute its own."""
        checksum = base64.b64encode(sha256).decode()
        self.client.put_object(
            Bucket=self.bucket,
            Key=self.prefix + key,
            Body=body,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=checksum,
            **more,
        )

    def _put_new(self, key: str, data: bytes, sha256: bytes, mark: Mark, transfer: Transfer) -> bool:
        from botocore.exceptions import ClientError

        try:
            self._put(key, data, sha256, IfNoneMatch="*", Metadata=mark)
        except ClientError as error:
            if error_code(error) not in _TAKEN:
                raise
            # What is there may be what an earlier request of this call wrote, whose answer was lost.
            repeated = transfer.repeated or error.response["ResponseMetadata"].get("RetryAttempts")
            return bool(repeated) and has_mark(self.client, self.bucket, self.prefix + key, mark)
        return True

    def _read(self, key: str, use: Callable[[GetObjectOutputTypeDef], _Result], **part: str) -> _Result:
        """Give the answer to ``use``; again from the start when the connection is cut while it reads.

        botocore repeats requests, but not the reading of a body.
        """
        attempts: int = self.client.meta.config.retries["total_max_attempts"]  # type: ignore[attr-defined]
        for attempt in range(1, attempts + 1):
            answer = self.client.get_object(Bucket=self.bucket, Key=self.prefix + key, **part)  # type: ignore[arg-type]
            try:
                return use(answer)
            except body_errors():
                if attempt == attempts:
                    raise
                time.sleep(0.1 * 2**attempt)
            finally:
                answer["Body"].close()
        raise AssertionError("unreachable")

    def _get_parts(self, key: str, file: IO[bytes]) -> StoredObject:
        head = self._ask(key, lambda _: self.client.head_object(Bucket=self.bucket, Key=self.prefix + key))
        size = head["ContentLength"]

        def fetch(start: int) -> None:
            end = min(start + _PART, size)

            def request(transfer: Transfer) -> None:
                def use(answer: GetObjectOutputTypeDef) -> None:
                    save_part(answer, file, start, end, transfer)

                self._read(key, use, Range=f"bytes={start}-{end - 1}", IfMatch=head["ETag"])

            self._ask(key, request)

        with ThreadPoolExecutor(PART_THREADS) as pool:
            for _ in pool.map(fetch, range(0, size, _PART)):
                pass
        return digest_file(Path(file.name))
