from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider import errors
from aqueduct_provider.storage import s3
from aqueduct_provider.storage.object_store import StoredObject
from aqueduct_provider.storage.s3 import S3Settings, S3Store, connect

from .conftest import Answer, Scripted, answer, cut, refusal

MIB = 1 << 20


def test_url_and_keys(moto_settings: S3Settings, s3_client: Any) -> None:
    bucket = moto_settings.bucket
    store = connect(replace(moto_settings, bucket=f"s3://{bucket}/in/", root_dir="/root/"))
    store.put("dir/key", b"1")
    assert store.url("dir/key") == f"s3://{bucket}/in/root/dir/key"
    assert s3_client.get_object(Bucket=bucket, Key="in/root/dir/key")["Body"].read() == b"1"


def test_errors_of_a_real_server(moto_settings: S3Settings) -> None:
    store = connect(replace(moto_settings, bucket="no-such-bucket"))
    for use in (
        lambda: store.get("key"),
        lambda: store.put("key", b""),
        lambda: store.exists("key"),
        lambda: list(store.list("")),
        lambda: list(store.entries("")),
        lambda: store.delete(["key"]),
        store.check,
    ):
        with pytest.raises(errors.BucketNotFound, match="The bucket 'no-such-bucket' does not exist at http"):
            use()
    connect(moto_settings).check()


@pytest.mark.parametrize("name", ["", "a", "has space", "s3://", "sla\\sh", "x" * 256])
def test_invalid_bucket_name(name: str) -> None:
    with pytest.raises(errors.ConfigError, match="is not a valid bucket name"):
        connect(S3Settings(bucket=name))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", errors.AccessDenied),
        (403, "SignatureDoesNotMatch", errors.CredentialsError),
        (403, "InvalidAccessKeyId", errors.CredentialsError),
        (404, "NoSuchKey", errors.ObjectNotFound),
        (301, "PermanentRedirect", errors.WrongRegion),
    ],
)
def test_refusals(scripted: Scripted, status: int, code: str, kind: type[Exception]) -> None:
    scripted.answers = [refusal(status, code)]
    with pytest.raises(kind, match="s3://bucket/some/key") as caught:
        connect(scripted.settings()).get("some/key")
    assert type(caught.value) is kind


def test_wrong_region_names_both(scripted: Scripted) -> None:
    scripted.answers = [refusal(400, "AuthorizationHeaderMalformed", "<Region>ap-south-1</Region>")]
    with pytest.raises(errors.WrongRegion, match=r"is in ap-south-1, not in eu-west-1.*Correct the region"):
        connect(scripted.settings()).get("key")


def test_a_region_that_s3_tells_is_followed(scripted: Scripted) -> None:
    wrong = refusal(400, "AuthorizationHeaderMalformed", "<Region>ap-south-1</Region>")
    scripted.answers = [wrong, answer(200, b"data")]
    assert connect(scripted.settings()).get("key") == b"data"
    assert [request.region for request in scripted.requests] == ["eu-west-1", "ap-south-1"]


@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (503, "ServiceUnavailable")]
)
def test_throttling_is_retried(scripted: Scripted, status: int, code: str) -> None:
    scripted.answers = [refusal(status, code), answer(200, b"data")]
    assert connect(scripted.settings()).get("key") == b"data"
    scripted.answers = [refusal(status, code)]
    scripted.requests.clear()
    with pytest.raises(errors.StorageUnavailable, match=f"{code}.*s3_max_attempts"):
        connect(scripted.settings()).get("key")
    assert len(scripted.requests) == 2


def test_endpoint_down() -> None:
    down = S3Settings(
        bucket="bucket",
        region="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        access_keys=("a", "b"),
        max_attempts=1,
    )
    with pytest.raises(
        errors.StorageUnavailable, match=r"s3://bucket/key.*http://127\.0\.0\.1:1.*can be reached"
    ):
        connect(down).get("key")


def test_endpoint_that_never_answers(scripted: Scripted) -> None:
    import threading

    end = threading.Event()
    scripted.answers = [lambda handler: (end.wait(10), None)[1]]
    try:
        with pytest.raises(errors.StorageUnavailable, match="Read timeout"):
            connect(scripted.settings(read_timeout=0.1, max_attempts=1)).get("key")
    finally:
        end.set()


def test_a_cut_body_is_read_again(scripted: Scripted, tmp_path: Path) -> None:
    data = os.urandom(3 * MIB)
    store = connect(scripted.settings())
    scripted.answers = [cut(data[: 2 * MIB], len(data)), answer(200, data)]
    stored = store.get_file("key", tmp_path / "file")
    assert stored == StoredObject(hashlib.sha256(data).hexdigest(), len(data))
    assert (tmp_path / "file").read_bytes() == data
    scripted.answers = [cut(b"da", 4), answer(200, b"data")]
    assert store.get("key") == b"data"


def test_a_body_that_is_always_cut(scripted: Scripted, tmp_path: Path) -> None:
    scripted.answers = [cut(b"some", 10)]
    store = connect(scripted.settings(max_attempts=3))
    for read in (lambda: store.get("key"), lambda: store.get_file("key", tmp_path / "file")):
        scripted.requests.clear()
        with pytest.raises(errors.StorageUnavailable, match="s3://bucket/key"):
            read()
        assert len(scripted.requests) == 3
    assert list(tmp_path.iterdir()) == []


def bucket_of(listing: Answer) -> Answer:
    """A bucket without objects, which answers a listing with ``listing``."""

    def send(handler: Any) -> None:
        (answer(404) if handler.command == "HEAD" else listing)(handler)

    return send


def test_a_missing_object_is_told_from_a_missing_bucket_once(scripted: Scripted) -> None:
    store = connect(scripted.settings())
    scripted.answers = [bucket_of(refusal(404, "NoSuchBucket"))]
    for _ in range(2):
        with pytest.raises(errors.BucketNotFound, match="The bucket 'bucket' does not exist"):
            store.exists("key")
    scripted.answers = [bucket_of(answer(200, b"<ListBucketResult></ListBucketResult>"))]
    scripted.requests.clear()
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(store.exists, map(str, range(40))))
    methods = [request.method for request in scripted.requests]
    assert (methods.count("HEAD"), methods.count("GET")) == (40, 1)


def test_connections_are_kept(scripted: Scripted, tmp_path: Path) -> None:
    store = connect(scripted.settings())
    scripted.answers = [answer(200, b"data")]
    for _ in range(3):
        store.get("key")
        store.get_file("key", tmp_path / "file")
        store.put("key", b"data")
    assert len(scripted.connections) == 1


@pytest.mark.parametrize("size", [10, 2 * MIB])
def test_uploads_carry_their_sha256(scripted: Scripted, tmp_path: Path, size: int) -> None:
    scripted.answers = [answer()]
    data = os.urandom(size)
    path = tmp_path / "file"
    path.write_bytes(data)
    connect(scripted.settings()).put_file("key", path)
    (request,) = scripted.requests
    expected = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert request.headers["x-amz-checksum-sha256"] == expected
    assert request.headers["content-length"] == str(size)


def test_a_big_file_goes_in_parts(
    moto_settings: S3Settings, tmp_path: Path, s3_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # S3 wants parts of 5 MiB; the real limits would make the test move 64.
    monkeypatch.setattr(s3, "_BIG", 5 * MIB)
    monkeypatch.setattr(s3, "_PART", 5 * MIB)
    data = os.urandom(12 * MIB + 1)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    store = connect(moto_settings)
    stored = StoredObject(hashlib.sha256(data).hexdigest(), len(data))
    assert store.put_file("key", source) == stored
    assert s3_client.head_object(Bucket=moto_settings.bucket, Key="key")["ETag"].endswith('-3"')
    assert store.get_file("key", target) == stored
    assert target.read_bytes() == data


def ranges(data: bytes, first: list[Answer]) -> Answer:
    """Answers GET with the range asked for; its first part with what ``first`` holds, while it holds any."""

    def send(handler: Any) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers.get("Range", ""))
        if asked and asked[1] == "0" and first:
            return first.pop(0)(handler)
        part = data[int(asked[1]) : int(asked[2]) + 1] if asked else data
        return answer(206 if asked else 200, part, ETag='"one"')(handler)

    return send


def test_a_cut_part_is_read_again(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_BIG", 1000)
    monkeypatch.setattr(s3, "_PART", 300)
    data = os.urandom(1000)
    scripted.answers = [ranges(data, [cut(data[:100], 300, 206)])]
    connect(scripted.settings()).get_file("key", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == data
    parts = [r.headers["range"] for r in scripted.requests if "range" in r.headers]
    assert sorted(parts) == ["bytes=0-299", "bytes=0-299", "bytes=300-599", "bytes=600-899", "bytes=900-999"]
    assert all(r.headers["if-match"] == '"one"' for r in scripted.requests if "range" in r.headers)


def test_a_part_that_fails_fails_the_file(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_BIG", 1000)
    monkeypatch.setattr(s3, "_PART", 300)
    scripted.answers = [ranges(bytes(1000), [refusal(412, "PreconditionFailed")])]
    with pytest.raises(errors.StorageError, match="PreconditionFailed"):
        connect(scripted.settings()).get_file("key", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_listing_follows_pages(scripted: Scripted) -> None:
    rest = '<ETag>"e"</ETag><Size>1</Size><LastModified>2026-01-31T12:00:00.000Z</LastModified>'

    def page(keys: str, more: str) -> Answer:
        contents = "".join(f"<Contents><Key>root/{key}</Key>{rest}</Contents>" for key in keys)
        return answer(200, f"<ListBucketResult>{more}{contents}</ListBucketResult>".encode())

    token = "<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>"
    scripted.answers = [page("ab", token), page("c", "<IsTruncated>false</IsTruncated>")]
    assert list(connect(scripted.settings(root_dir="root")).list("")) == ["a", "b", "c"]
    assert "continuation-token=next" in scripted.requests[1].path


def test_deletes_in_batches(scripted: Scripted) -> None:
    scripted.answers = [answer(200, b"<DeleteResult></DeleteResult>")]
    connect(scripted.settings()).delete(f"key-{number}" for number in range(2001))
    assert [request.body.count(b"<Key>") for request in scripted.requests] == [1000, 1000, 1]


def test_delete_names_what_was_not_deleted(scripted: Scripted) -> None:
    failed = "".join(
        f"<Error><Key>k{number}</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
        for number in range(7)
    )
    scripted.answers = [
        answer(200, f"<DeleteResult>{failed}</DeleteResult>".encode()),
        answer(200, b"<DeleteResult></DeleteResult>"),
    ]
    with pytest.raises(errors.AccessDenied, match=r"7 objects.*k0 \(AccessDenied: no\), .*k4.* and 2 more"):
        connect(scripted.settings()).delete(str(number) for number in range(1500))
    assert len(scripted.requests) == 2


MEMORY = """
import resource, sys
from pathlib import Path
from aqueduct_provider.storage.s3 import S3Settings, connect
store = connect(S3Settings("bucket", region="us-east-1", endpoint_url=sys.argv[1], access_keys=("a", "b")))
path = Path(sys.argv[2])
path.write_bytes(b"small")
store.put_file("warm", path)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with path.open("wb") as file:
    file.truncate(int(sys.argv[3]))
store.put_file("key", path)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_an_upload(scripted: Scripted, tmp_path: Path) -> None:
    scripted.answers = [answer()]
    size = 60 * MIB
    command = [sys.executable, "-c", MEMORY, scripted.url, str(tmp_path / "file"), str(size)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert scripted.requests[-1].headers["content-length"] == str(size)
    assert grown * 1024 < size / 4


def test_a_store_can_be_made_of_any_client(moto_settings: S3Settings) -> None:
    client = connect(moto_settings).client
    S3Store(client, moto_settings.bucket).put("key", b"1")
    assert S3Store(client, moto_settings.bucket, "k").get("ey") == b"1"
