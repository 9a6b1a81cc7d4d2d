"""GCS beyond ``test_contract.py``; the emulator is gcp-storage-emulator, faults are scripted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from aqueduct_provider import errors
from aqueduct_provider.storage import gcs
from aqueduct_provider.storage.gcs import GcsSettings, GcsStore, connect

from .conftest import Answer, Scripted, answer, cut

MIB = 1 << 20
WRITTEN = {"updated": "2026-01-31T12:00:00.000Z"}


@pytest.fixture(autouse=True)
def _only_our_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client asks for the bucket's metadata beside, in a thread, and would use up scripted answers."""
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")


def scripted_store(scripted: Scripted, **changes: Any) -> GcsStore:
    usual: dict[str, Any] = {"endpoint": scripted.url, "retry_seconds": 0.5, "timeout": 5.0}
    return connect(GcsSettings("bucket", **{**usual, **changes}))


def refusal(status: int, message: str) -> Answer:
    body = {"error": {"code": status, "message": message, "errors": [{"message": message}]}}
    return answer(status, json.dumps(body).encode(), Content_Type="application/json")


def found(status: int = 200, **fields: Any) -> Answer:
    return answer(status, json.dumps(fields).encode(), Content_Type="application/json")


def test_url_and_keys(gcs_settings: GcsSettings) -> None:
    store = connect(replace(gcs_settings, bucket=f"gs://{gcs_settings.bucket}/in/", root_dir="/root/"))
    store.put("dir/key", b"1")
    assert store.url("dir/key") == f"gs://{gcs_settings.bucket}/in/root/dir/key"
    assert connect(gcs_settings).get("in/root/dir/key") == b"1"
    assert list(connect(gcs_settings).list("in/ro")) == ["in/root/dir/key"]
    store.check()


def test_a_bucket_that_is_not_there(gcs_settings: GcsSettings, tmp_path: Path) -> None:
    store = connect(replace(gcs_settings, bucket="no-such-bucket"))
    (tmp_path / "file").write_bytes(b"1")
    for use in (
        lambda: store.get("key"),
        lambda: store.get_file("key", tmp_path / "new"),
        lambda: store.put("key", b""),
        lambda: store.put_file("key", tmp_path / "file"),
        lambda: store.exists("key"),
        lambda: list(store.list("")),
        lambda: list(store.entries("")),
        lambda: store.delete(["key"]),
        store.check,
    ):
        with pytest.raises(errors.BucketNotFound, match="the bucket 'no-such-bucket' does not exist"):
            use()


@pytest.mark.parametrize("name", ["", "a", "Upper", "has space", "gs://", "s3:/x", "-ends-", "x" * 256])
def test_invalid_bucket_name(name: str) -> None:
    with pytest.raises(errors.ConfigError, match="is not a valid bucket name"):
        connect(GcsSettings(name, endpoint="http://127.0.0.1:1"))


def test_a_big_file_goes_in_parts(
    gcs_settings: GcsSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gcs, "_PART", MIB)
    data = os.urandom(3 * MIB + 5)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    store = connect(gcs_settings)
    assert store.put_file("key", source) == store.get_file("key", target)
    assert target.read_bytes() == data


def test_a_missing_object_is_told_from_a_missing_bucket_once(scripted: Scripted) -> None:
    store = scripted_store(scripted)
    no_object = refusal(404, "No such object: bucket/key")
    scripted.answers = [no_object, found(items=[]), no_object]
    for _ in range(3):
        with pytest.raises(errors.ObjectNotFound, match="The object gs://bucket/key does not exist"):
            store.get("key")
    assert len(scripted.requests) == 4
    scripted.answers = [no_object, refusal(403, "may not list")]
    with pytest.raises(errors.ObjectNotFound):
        scripted_store(scripted).get("key")


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, errors.CredentialsError, "no access token"),
        (403, errors.AccessDenied, "denied by script.*Storage Object Viewer"),
        (400, errors.StorageError, "denied by script"),
    ],
)
def test_refusals(scripted: Scripted, status: int, kind: type[Exception], message: str) -> None:
    scripted.answers = [refusal(status, "denied by script")]
    store = scripted_store(scripted)
    for use in (lambda: store.put("key", b"1"), lambda: list(store.list("")), lambda: store.exists("key")):
        with pytest.raises(kind, match=rf"gs://bucket/.*{message}") as caught:
            use()
        assert type(caught.value) is kind


@pytest.mark.parametrize("status", [429, 500, 503])
def test_throttling_is_retried(scripted: Scripted, status: int) -> None:
    busy = refusal(status, "busy")
    scripted.answers = [busy, found(items=[{"name": "a", "generation": "7", "size": "3", **WRITTEN}])]
    store = scripted_store(scripted, retry_seconds=20.0)
    (entry,) = store.entries("")
    assert (entry.key, entry.tag, entry.size) == ("a", "7", 3)
    scripted.answers = [busy]
    with pytest.raises(errors.StorageUnavailable, match=r"gs://bucket/: .*kept throttling"):
        list(scripted_store(scripted).entries(""))


def test_listing_follows_pages(scripted: Scripted) -> None:
    def page(names: str, **more: str) -> Answer:
        same = {"generation": "1", "size": "0", **WRITTEN}
        return found(items=[{"name": f"root/{name}", **same} for name in names], **more)

    scripted.answers = [page("ab", nextPageToken="next"), page("c")]
    assert list(scripted_store(scripted, root_dir="root").list("")) == ["a", "b", "c"]
    assert "pageToken=next" in scripted.requests[1].path


def test_endpoint_down() -> None:
    store = connect(GcsSettings("bucket", endpoint="http://127.0.0.1:1", retry_seconds=0.5))
    with pytest.raises(errors.StorageUnavailable, match=r"gs://bucket/key: .*cannot be reached"):
        store.get("key")


def test_a_body_that_is_always_cut_leaves_nothing(scripted: Scripted, tmp_path: Path) -> None:
    scripted.answers = [cut(b"some", 10)]
    with pytest.raises(errors.StorageUnavailable, match="gs://bucket/key"):
        scripted_store(scripted).get_file("key", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_damaged_bytes_are_not_taken(scripted: Scripted, tmp_path: Path) -> None:
    scripted.answers = [answer(200, b"damaged", X_Goog_Hash="crc32c=AAAAAA==")]
    with pytest.raises(errors.StorageUnavailable, match="gs://bucket/key"):
        scripted_store(scripted).get_file("key", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


# --- credentials


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def account(scripted: Scripted, private_key: str) -> dict[str, str]:
    return {
        "type": "service_account",
        "project_id": "project",
        "client_email": "robot@project.iam.gserviceaccount.com",
        "private_key": private_key,
        "token_uri": f"{scripted.url}/token",
    }


def test_a_service_account_signs_in(scripted: Scripted, private_key: str) -> None:
    token = found(access_token="the-token", expires_in=3600, token_type="Bearer")
    scripted.answers = [token, answer(200, b"data")]
    store = scripted_store(scripted, service_account=account(scripted, private_key))
    assert store.get("key") == b"data"
    assert scripted.requests[0].path == "/token"
    assert scripted.requests[1].headers["authorization"] == "Bearer the-token"


def test_a_service_account_that_is_refused(scripted: Scripted, private_key: str) -> None:
    refused = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    scripted.answers = [answer(400, json.dumps(refused).encode(), Content_Type="application/json")]
    store = scripted_store(scripted, service_account=account(scripted, private_key))
    with pytest.raises(errors.CredentialsError, match=r"no access token.*Invalid JWT Signature") as caught:
        store.get("key")
    assert private_key[60:90] not in str(caught.value)


def test_a_key_that_is_none(scripted: Scripted, private_key: str) -> None:
    broken = private_key.replace("\n", "x")
    with pytest.raises(errors.ConfigError, match="private_key in service_account_credentials") as caught:
        scripted_store(scripted, service_account=account(scripted, broken))
    assert broken[60:90] not in str(caught.value)
    assert caught.value.__suppress_context__


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(errors.CredentialsError, match="application default credentials"):
        connect(GcsSettings("bucket"))


def test_settings_do_not_show_the_key(private_key: str, scripted: Scripted) -> None:
    settings = GcsSettings("bucket", service_account=account(scripted, private_key))
    assert "private_key" not in repr(settings)


MEMORY = """
import resource, sys
from pathlib import Path
from aqueduct_provider.storage.gcs import GcsSettings, connect
store = connect(GcsSettings(sys.argv[1], endpoint=sys.argv[2]))
path = Path(sys.argv[3])
path.write_bytes(b"small")
store.put_file("warm", path)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with path.open("wb") as file:
    file.truncate(int(sys.argv[4]))
store.put_file("key", path)
store.get_file("key", path.with_name("back"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_a_file(gcs_settings: GcsSettings, tmp_path: Path) -> None:
    size = 120 * MIB
    arguments = [gcs_settings.bucket, gcs_settings.endpoint, str(tmp_path / "file"), str(size)]
    command = [sys.executable, "-c", MEMORY, *arguments]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (tmp_path / "back").stat().st_size == size
    assert grown * 1024 < size / 3


def test_importing_the_store_is_cheap() -> None:
    code = "import sys, aqueduct_provider.storage.gcs; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"google.cloud.storage", "google.auth", "requests"} & set(loaded)
