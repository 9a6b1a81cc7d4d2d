"""Stage 4, a bucket as an ``ObjectStore``.

In: keys, bytes and files. Out: the same, streamed, and errors with their cure. With ``s3_client`` and
``s3_errors`` the only code that uses botocore; must not import Airflow.

How big objects move, from 64 MiB on, was measured with 256 MB on 2 shared cores against a stub server; MB/s,
medians of five. At 90 MB/s per connection and 30 ms latency (an assumption of how S3 behaves): upload 233,
with one put_object 75; download 296, in one stream 84. Without limits there is no difference beyond the noise
(209 and 229; 334 and 311). s3transfer uploads. Its download was slower and took more memory in a single trial
(175 MB/s with 51 MB, against 291 with 6 for ranges written in place), hence ranges of our own. An object
above 5 GB has to be uploaded in parts anyway.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.storage.base import Entry, Stored
from aqueduct_provider.storage.files import digest_file, replacing, write_digested
from aqueduct_provider.storage.layout import bucket_and_prefix
from aqueduct_provider.storage.s3_client import PART_THREADS, S3Settings, client_for
from aqueduct_provider.storage.s3_errors import Place, body_errors, kind_of, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

__all__ = ["S3Settings", "S3Store", "connect"]

MIB = 1 << 20
_SMALL = MIB
_BIG = 64 * MIB
_PART = 16 * MIB
_BLOCK = MIB // 4
# What S3 answers to "only where there is none": there is one, or another request is writing it.
_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})
_DELETE_BATCH = 1000
_Result = TypeVar("_Result")


def connect(settings: S3Settings) -> S3Store:
    """The store that the settings name. Sends no request, unless AWS credentials have to be fetched.

    :raises ConfigError: bucket name, region or endpoint URL cannot be one.
    :raises CredentialsError: the credentials file, the profile or its keys are missing or unusable.
    """
    bucket, prefix = bucket_and_prefix(settings.bucket, settings.root_dir)
    if not re.fullmatch(r"[A-Za-z0-9._-]{3,255}", bucket):
        raise ConfigError(
            f"{settings.bucket!r} is no name of a bucket: write 3 to 63 lower-case letters, digits, dots and"
            " hyphens, or s3://bucket/some/prefix."
        )
    return S3Store(client_for(settings), bucket, prefix)


class S3Store:
    """Objects below one prefix of one bucket. Safe to use from several threads.

    :param client: an S3 client of botocore.
    :param prefix: empty, or ``like/this/``.
    """

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self.client = client
        self.bucket = bucket
        self.prefix = prefix
        self._bucket_seen = False
        self._looking = threading.Lock()

    def get(self, key: str) -> bytes:
        with self._door(key):
            return self._read(key, lambda answer: answer["Body"].read())

    def put(self, key: str, data: bytes) -> None:
        with self._door(key):
            self._put(key, data, hashlib.sha256(data).digest())

    def put_new(self, key: str, data: bytes) -> bool:
        from botocore.exceptions import ClientError

        with self._door(key):
            try:
                self._put(key, data, hashlib.sha256(data).digest(), IfNoneMatch="*")
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _TAKEN:
                    raise
                return False
            return True

    def get_file(self, key: str, path: Path) -> Stored:
        with self._door(key), replacing(path) as file:
            stored = self._read(key, lambda answer: None if _is_big(answer) else _save(answer, file))
            return stored or self._get_parts(key, file)

    def put_file(self, key: str, path: Path) -> Stored:
        with self._door(key):
            if path.stat().st_size <= _SMALL:
                data = path.read_bytes()
                digest = hashlib.sha256(data)
                self._put(key, data, digest.digest())
                return Stored(digest.hexdigest(), len(data))
            stored = digest_file(path)
            if stored.size < _BIG:
                with path.open("rb") as file:
                    self._put(key, file, bytes.fromhex(stored.sha256))
            else:
                self._put_parts(key, path)
            return stored

    def exists(self, key: str) -> bool:
        from botocore.exceptions import ClientError

        with self._door(key):
            try:
                self.client.head_object(Bucket=self.bucket, Key=self.prefix + key)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in ("404", "NoSuchKey", "NotFound"):
                    raise
                self._see_bucket()
                return False
            return True

    def list(self, prefix: str) -> Iterator[str]:
        return (entry.key for entry in self.entries(prefix))

    def entries(self, prefix: str) -> Iterator[Entry]:
        pages = self.client.get_paginator("list_objects_v2")
        with self._door(prefix):
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix + prefix):
                for item in page.get("Contents", ()):
                    written = item["LastModified"].timestamp()
                    yield Entry(item["Key"].removeprefix(self.prefix), item["ETag"], item["Size"], written)

    def folders(self, prefix: str) -> Iterator[str]:
        pages, start = self.client.get_paginator("list_objects_v2"), self.prefix + prefix
        with self._door(prefix):
            for page in pages.paginate(Bucket=self.bucket, Prefix=start, Delimiter="/"):
                for item in page.get("CommonPrefixes", ()):
                    yield item["Prefix"].removeprefix(start).removesuffix("/")

    def delete(self, keys: Iterable[str]) -> None:
        waiting, failed = iter(keys), []
        while batch := tuple(islice(waiting, _DELETE_BATCH)):
            with self._door(""):
                answer = self.client.delete_objects(
                    Bucket=self.bucket,
                    Delete={"Objects": [{"Key": self.prefix + key} for key in batch], "Quiet": True},
                )
            failed += answer.get("Errors", [])
        if failed:
            lines = [f"{e.get('Key')} ({e.get('Code')}: {e.get('Message')})" for e in failed[:5]]
            more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
            raise kind_of(failed[0].get("Code", ""))(
                f"{self.url('')}: {len(failed)} objects were not deleted: {', '.join(lines)}{more}."
                " The others are. Check s3:DeleteObject of these credentials, then try again."
            )

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def check(self) -> None:
        """One small listing, which shows whether endpoint, credentials, bucket and permissions are right.

        :raises StorageError: they are not.
        """
        with self._door(""):
            self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)

    def _see_bucket(self) -> None:
        """Make sure that there is a bucket: without one, the answer to HEAD is that of a missing object.

        Seen once is enough: whoever publishes a flow looks for hundreds of objects.
        """
        with self._looking:
            if not self._bucket_seen:
                self.check()
                self._bucket_seen = True

    def _door(self, key: str) -> AbstractContextManager[None]:
        meta = self.client.meta
        return translated(Place(self.url(key), self.bucket, meta.region_name, meta.endpoint_url))

    def _put(self, key: str, body: bytes | IO[bytes], sha256: bytes, **condition: str) -> None:
        """The checksum lets S3 refuse damaged bytes, and spares botocore one that it would make itself."""
        checksum = base64.b64encode(sha256).decode()
        self.client.put_object(
            Bucket=self.bucket,
            Key=self.prefix + key,
            Body=body,
            ChecksumSHA256=checksum,
            **condition,  # type: ignore[arg-type]
        )

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

    def _get_parts(self, key: str, file: IO[bytes]) -> Stored:
        head = self.client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        size, descriptor = head["ContentLength"], file.fileno()

        def fetch(start: int) -> None:
            part = f"bytes={start}-{min(start + _PART, size) - 1}"
            self._read(key, partial(_save_at, descriptor, start), Range=part, IfMatch=head["ETag"])

        with ThreadPoolExecutor(PART_THREADS) as pool:
            for _ in pool.map(fetch, range(0, size, _PART)):
                pass
        return digest_file(Path(file.name))

    def _put_parts(self, key: str, path: Path) -> None:
        from s3transfer.manager import TransferConfig, TransferManager

        config = TransferConfig(
            multipart_threshold=_BIG, multipart_chunksize=_PART, max_request_concurrency=PART_THREADS
        )
        with TransferManager(self.client, config) as manager:
            manager.upload(str(path), self.bucket, self.prefix + key).result()


def _is_big(answer: GetObjectOutputTypeDef) -> bool:
    return answer["ContentLength"] >= _BIG


def _save(answer: GetObjectOutputTypeDef, file: IO[bytes]) -> Stored:
    file.seek(0)
    file.truncate()
    return write_digested(answer["Body"].iter_chunks(_BLOCK), file)


def _save_at(descriptor: int, start: int, answer: GetObjectOutputTypeDef) -> None:
    for block in answer["Body"].iter_chunks(_BLOCK):
        os.pwrite(descriptor, block, start)
        start += len(block)
