from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import ConfigError, CredentialsError
from aqueduct_provider.storage import s3_client
from aqueduct_provider.storage.s3 import S3Settings, connect
from aqueduct_provider.storage.s3_client import client_for, other_services

from .conftest import Scripted, answer

KEYS = "aws_access_key_id = {0}-key\naws_secret_access_key = {0}-secret\n"


pytestmark = pytest.mark.usefixtures("no_aws_variables")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "credentials"
    path.write_text(f"[default]\n{KEYS.format('default')}\n[research]\n{KEYS.format('research')}")
    return path


def signed(scripted: Scripted, **changes: Any) -> tuple[str, str]:
    """Access key and region that a request with these settings is signed with."""
    scripted.answers = [answer(200, b"data")]
    settings = scripted.settings(**{"access_keys": None, **changes})
    assert connect(settings).get("key") == b"data"
    return scripted.requests[-1].access_key, scripted.requests[-1].region


def test_profiles(scripted: Scripted, file: Path) -> None:
    assert signed(scripted, credentials_path=str(file))[0] == "default-key"
    assert signed(scripted, credentials_path=str(file), credentials_profile="research")[0] == "research-key"


def test_home_is_expanded(scripted: Scripted, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    assert signed(scripted, credentials_path="~/credentials")[0] == "default-key"


def test_one_file_may_hold_all_that_a_profile_means(scripted: Scripted, tmp_path: Path) -> None:
    path = tmp_path / "both"
    path.write_text(
        f"[default]\nregion = sa-east-1\nendpoint_url = {scripted.url}\n{KEYS.format('default')}"
        f"[profile named]\nregion = us-west-2\nservices = local\n{KEYS.format('named')}"
        f"[services local]\ns3 =\n  endpoint_url = {scripted.url}\n"
    )
    where = {"credentials_path": str(path), "region": "", "endpoint_url": ""}
    assert signed(scripted, **where) == ("default-key", "sa-east-1")
    assert signed(scripted, **where, credentials_profile="named") == ("named-key", "us-west-2")
    assert signed(scripted, **{**where, "region": "eu-north-1"})[1] == "eu-north-1"


def test_the_environment_never_overrides_a_profile(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.write_text(f"[other]\n{KEYS.format('other')}")
    path = tmp_path / "credentials"
    path.write_text(f"[default]\nregion = sa-east-1\nendpoint_url = {scripted.url}\n{KEYS.format('default')}")
    hostile = {
        "AWS_ACCESS_KEY_ID": "env-key",
        "AWS_SECRET_ACCESS_KEY": "env-secret",
        "AWS_SESSION_TOKEN": "env-token",
        "AWS_PROFILE": "other",
        "AWS_DEFAULT_PROFILE": "other",
        "AWS_SHARED_CREDENTIALS_FILE": str(other),
        "AWS_CONFIG_FILE": str(other),
        "AWS_DEFAULT_REGION": "us-gov-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/env",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(other),
        "AWS_MAX_ATTEMPTS": "not a number",
        "AWS_RETRY_MODE": "wild",
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    where = {"credentials_path": str(path), "region": "", "endpoint_url": ""}
    assert signed(scripted, **where) == ("default-key", "sa-east-1")
    assert "x-amz-security-token" not in scripted.requests[-1].headers
    static = {"access_keys": ("static-key", "s"), "region": "eu-west-1"}
    assert signed(scripted, **static) == ("static-key", "eu-west-1")
    assert dict(os.environ) == before


def test_the_environment_fills_gaps(scripted: Scripted, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", scripted.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ca-central-1")
    gaps = {"region": "", "endpoint_url": ""}
    assert signed(scripted, credentials_path=str(file), **gaps) == ("default-key", "ca-central-1")
    assert signed(scripted, access_keys=("static-key", "s"), **gaps) == ("static-key", "ca-central-1")


def test_profile_without_path_is_one_of_the_usual_files(
    scripted: Scripted, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "env-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "env-secret")
    assert signed(scripted, credentials_profile="research")[0] == "research-key"


def test_nothing_given_is_the_usual_chain(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialsError, match="No AWS credentials were found"):
        connect(scripted.settings(access_keys=None))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "env-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "env-secret")
    assert signed(scripted)[0] == "env-key"


def test_static_keys_beat_the_file(scripted: Scripted, file: Path) -> None:
    given = {"access_keys": ("static-key", "static-secret"), "credentials_path": str(file)}
    assert signed(scripted, **given)[0] == "static-key"


def test_credentials_text_leaves_no_file(
    scripted: Scripted, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    given = {"credentials_text": file.read_text(), "credentials_profile": "research"}
    assert signed(scripted, **given)[0] == "research-key"
    assert list(folder.iterdir()) == []
    with pytest.raises(CredentialsError, match="The given credentials text has no profile 'other'"):
        connect(scripted.settings(**{**given, "credentials_profile": "other", "access_keys": None}))


def test_roles(moto_settings: S3Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    path = tmp_path / "credentials"
    path.write_text(
        f"[base]\n{KEYS.format('base')}\n[profile reader]\nrole_arn = arn:aws:iam::123456789012:role/reader\n"
        f"source_profile = base\nregion = us-east-1\nendpoint_url = {moto_settings.endpoint_url}\n"
    )
    settings = replace(
        moto_settings, region="", endpoint_url="", credentials_path=str(path), credentials_profile="reader"
    )
    store = connect(settings)
    store.put("key", b"1")
    assert store.get("key") == b"1"


@pytest.mark.parametrize("way", ["keys", "path", "text"])
def test_other_services_have_the_same_credentials(scripted: Scripted, file: Path, way: str) -> None:
    given: dict[str, Any] = {
        "keys": {"access_keys": ("research-key", "research-secret")},
        "path": {"credentials_path": str(file), "credentials_profile": "research"},
        "text": {"credentials_text": file.read_text(), "credentials_profile": "research"},
    }[way]
    with other_services(scripted.settings(**{"access_keys": None, **given})) as session:
        client = session.client("sts", endpoint_url=scripted.url)
    scripted.answers = [answer(200, b"<R><GetCallerIdentityResult/><ResponseMetadata/></R>")]
    client.get_caller_identity()
    assert scripted.requests[-1].access_key == "research-key"
    assert scripted.requests[-1].region == "eu-west-1"


def test_other_services_name_what_is_wrong(file: Path) -> None:
    with (
        pytest.raises(CredentialsError, match="has no profile 'none'"),
        other_services(S3Settings("bucket", credentials_path=str(file), credentials_profile="none")),
    ):
        pass
    with (
        pytest.raises(CredentialsError, match="The credentials file"),
        other_services(S3Settings("bucket", credentials_path=str(file.with_name("gone")))),
    ):
        pass


def test_two_profiles_side_by_side(scripted: Scripted, file: Path) -> None:
    scripted.answers = [answer(200, b"data")]

    def fetch(profile: str) -> None:
        settings = scripted.settings(
            access_keys=None, credentials_path=str(file), credentials_profile=profile
        )
        connect(settings).get(profile)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fetch, ["default", "research"] * 8))
    assert {(r.path.rpartition("/")[2], r.access_key) for r in scripted.requests} == {
        ("default", "default-key"),
        ("research", "research-key"),
    }


def test_clients_are_kept_until_the_file_changes(file: Path) -> None:
    settings = S3Settings("bucket", credentials_path=str(file), region="eu-west-1")
    first = client_for(settings)
    assert client_for(replace(settings, bucket="other", root_dir="x")) is first
    assert client_for(replace(settings, region="eu-west-2")) is not first
    file.write_text(f"[default]\n{KEYS.format('rotated')}\n")
    rotated = client_for(settings)
    assert rotated is not first
    assert rotated is client_for(settings)


def test_few_clients_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_client, "_KEPT_CLIENTS", 2)
    settings = S3Settings("bucket", access_keys=("a", "b"), region="eu-west-1")
    first = client_for(settings)
    for number in range(2):
        client_for(replace(settings, access_keys=("a", str(number))))
    assert client_for(settings) is not first


FORK = """
import os, sys, threading
from aqueduct_provider.storage import s3_client
settings = s3_client.S3Settings("bucket", access_keys=("a", "b"), region="eu-west-1")
first = s3_client.client_for(settings)
held, done = threading.Event(), threading.Event()
def hold():
    with s3_client._lock:
        held.set()
        done.wait()
threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if child == 0:
    os._exit(0 if s3_client.client_for(settings) is not first else 1)
status = os.waitpid(child, 0)[1]
done.set()
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_child_makes_its_own_client_even_when_the_lock_was_held() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], check=True, timeout=30)


@pytest.mark.parametrize(
    "written", ["2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00Z", "Sat, 31 Jan 2026 12:00:00 GMT"]
)
def test_times_in_lists_and_headers(scripted: Scripted, written: str) -> None:
    entry = f"<Key>a</Key><LastModified>{written}</LastModified><ETag>e</ETag><Size>1</Size>"
    listed = f"<ListBucketResult><Contents>{entry}</Contents></ListBucketResult>"
    scripted.answers = [answer(200, listed.encode())]
    (page,) = connect(scripted.settings()).client.get_paginator("list_objects_v2").paginate(Bucket="bucket")
    assert page["Contents"][0]["LastModified"] == datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def test_secrets_are_not_shown() -> None:
    shown = repr(S3Settings("bucket", access_keys=("id", "very-secret"), credentials_text="very-secret"))
    assert "very-secret" not in shown


@pytest.mark.parametrize(
    ("text", "profile", "message"),
    [
        ("[a]\nx = 1\n[profile b]\nx = 1\n", "c", r"no profile 'c'; it has: a, b\."),
        ("[a]\nx = 1\n", "", "no profile 'default'; it has: a"),
        ("", "", "no profile 'default'; it has: none"),
        ("[default]\nregion = eu-west-1\n", "", "Profile 'default' .* gives no credentials"),
        ("[default]\naws_access_key_id = x\n", "", "missing: aws_secret_access_key"),
        ("no section\n", "", "cannot be parsed: line 1: no section header precedes it"),
        ("[default]\nsource_profile = gone\nrole_arn = arn:aws:iam::1:role/x\n", "", "gone"),
        ("[default]\nservices = gone\n" + KEYS, "", "services"),
    ],
)
def test_what_can_be_wrong_with_the_file(tmp_path: Path, text: str, profile: str, message: str) -> None:
    path = tmp_path / "credentials"
    path.write_text(text)
    settings = S3Settings("bucket", credentials_path=str(path), credentials_profile=profile)
    with pytest.raises(CredentialsError, match=message) as caught:
        connect(settings)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(
        CredentialsError, match=r"credentials file .*gone does not exist on this machine.*Airflow machines"
    ):
        connect(S3Settings("bucket", credentials_path=str(tmp_path / "gone")))


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"cannot be read: Is a directory"):
        connect(S3Settings("bucket", credentials_path=str(tmp_path)))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CredentialsError, match="binary"):
        connect(S3Settings("bucket", credentials_path=str(tmp_path / "binary")))


@pytest.mark.parametrize("url", ["localhost:9000", "not a url", "http://"])
def test_invalid_endpoint(url: str) -> None:
    with pytest.raises(ConfigError, match=f"{url}.*looks like https"):
        connect(S3Settings("bucket", endpoint_url=url, access_keys=("a", "b")))


def test_invalid_region() -> None:
    with pytest.raises(ConfigError, match="region"):
        connect(S3Settings("bucket", region="not a region!", access_keys=("a", "b")))
