"""Upload a file above 64 MiB in parts, several at the same time.

s3transfer does the same, but what an outage breaks it begins again from the first part, and the parts that it
then cannot remove stay in the bucket, unseen and paid for. Here each request has the patience of the task.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from aqueduct_provider.errors import AqueductError
from aqueduct_provider.storage.bodies import Mark, Part, new_mark
from aqueduct_provider.storage.files import open_no_link
from aqueduct_provider.storage.patience import Patience, Transfer
from aqueduct_provider.storage.s3_client import PART_THREADS
from aqueduct_provider.storage.s3_errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# Of S3's API.
_MOST_PARTS = 10_000

_Result = TypeVar("_Result")


class Ask(Protocol):
    """Makes a request about one object, with the patience of the task."""

    def __call__(self, request: Callable[[Transfer], _Result]) -> _Result:
        """Return what the request returns."""
        ...


def has_mark(client: S3Client, bucket: str, key: str, mark: Mark) -> bool:
    """Check whether the object is there, and was written by the request with this mark."""
    from botocore.exceptions import ClientError

    try:
        found = client.head_object(Bucket=bucket, Key=key)["Metadata"]
    except ClientError as error:
        if error_code(error) not in ("404", "NoSuchKey", "NotFound"):
            raise
        return False
    return mark.items() <= found.items()


class Uploader:
    """Writes one object.

    :param key: the whole key.
    """

    def __init__(self, client: S3Client, bucket: str, key: str, ask: Ask, patience: Patience) -> None:
        self._client = client
        self._place: Any = {"Bucket": bucket, "Key": key}
        self._ask = ask
        self._patience = patience
        self._mark = new_mark()
        # As s3transfer does: botocore's own choice of a checksum, unless the profile forbids it.
        when = getattr(client.meta.config, "request_checksum_calculation", "")
        self._checksum: Any = {"ChecksumAlgorithm": "CRC32"} if when == "when_supported" else {}

    def upload(self, path: Path, size: int, part: int) -> None:
        """Upload the file; when that fails, nothing of it stays in the bucket.

        :param size: of the file, in bytes.
        :param part: bytes of a part, at least.
        :raises StorageError: it fails.
        """
        upload_id, repeated = self._ask(self._begin)
        try:
            part_size = max(part, -(-size // _MOST_PARTS))
            send = partial(self._send, path, upload_id, part_size, size)
            with ThreadPoolExecutor(PART_THREADS) as pool:
                parts = list(pool.map(send, range(-(-size // part_size))))
            self._ask(lambda _: self._complete(upload_id, parts))
        except BaseException:
            self._patience.last_word()
            # The first error is the one to report.
            with suppress(AqueductError):
                self._ask(lambda _: self._abort(upload_id))
            raise
        finally:
            if repeated:
                with suppress(AqueductError):
                    self._ask(lambda _: self._abort_others(upload_id))

    def _begin(self, transfer: Transfer) -> tuple[str, bool]:
        begun = self._client.create_multipart_upload(**self._place, **self._checksum, Metadata=self._mark)
        retries = begun["ResponseMetadata"].get("RetryAttempts")
        return begun["UploadId"], transfer.repeated or bool(retries)

    def _send(
        self, path: Path, upload_id: str, part_size: int, size: int, index: int
    ) -> CompletedPartTypeDef:
        start, number = index * part_size, index + 1

        def request(transfer: Transfer) -> CompletedPartTypeDef:
            with open_no_link(path) as file:
                body = cast("Any", Part(file, start, min(part_size, size - start), transfer))
                answer = self._client.upload_part(
                    **self._place, **self._checksum, UploadId=upload_id, PartNumber=number, Body=body
                )
            found = {name: answer[name] for name in ("ETag", "ChecksumCRC32") if name in answer}
            return cast("CompletedPartTypeDef", {"PartNumber": number, **found})

        return self._ask(request)

    def _complete(self, upload_id: str, parts: list[CompletedPartTypeDef]) -> None:
        from botocore.exceptions import ClientError

        try:
            self._client.complete_multipart_upload(
                **self._place, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
        except ClientError as error:
            # The answer to an earlier request may have been lost after it had completed the upload.
            if error_code(error) != "NoSuchUpload" or not has_mark(
                self._client, self._place["Bucket"], self._place["Key"], self._mark
            ):
                raise

    def _abort(self, upload_id: str) -> None:
        from botocore.exceptions import ClientError

        try:
            self._client.abort_multipart_upload(**self._place, UploadId=upload_id)
        except ClientError as error:
            if error_code(error) != "NoSuchUpload":
                raise

    def _abort_others(self, upload_id: str) -> None:
        """Remove the uploads that S3 began for requests whose answers were lost."""
        answer = self._client.list_multipart_uploads(Bucket=self._place["Bucket"], Prefix=self._place["Key"])
        for one in answer.get("Uploads", []):
            if one.get("Key") == self._place["Key"] and one["UploadId"] != upload_id:
                self._abort(one["UploadId"])
