"""Keys as they are sent, and profiles that would ask for a code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.errors import CredentialsError
from aqueduct_provider.storage.s3 import S3Settings, connect

from .conftest import Scripted, answer

ROLE = "arn:aws:iam::123456789012:role/x"
MFA = f"role_arn = {ROLE}\nmfa_serial = arn:aws:iam::123456789012:mfa/u\n"
KEYS = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = abc\n"


pytestmark = pytest.mark.usefixtures("no_aws_variables")


@pytest.mark.parametrize("space", ["\n", "\r\n", " \t", "\v"])
@pytest.mark.parametrize("way", ["variables", "given"])
def test_white_space_around_keys_is_removed(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, space: str, way: str
) -> None:
    keys = (f"AKIDEXAMPLE{space}", f"{space}abc{space}")
    if way == "variables":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys[0])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys[1])
        monkeypatch.setenv("AWS_SESSION_TOKEN", f"token{space}")
    scripted.answers = [answer(200, b"data")]
    store = connect(scripted.settings(access_keys=keys if way == "given" else None))
    assert store.get("key") == b"data"
    (request,) = scripted.requests
    assert request.access_key == "AKIDEXAMPLE"
    expected = connect(scripted.settings(access_keys=("AKIDEXAMPLE", "abc")))
    assert [one.client._request_signer._credentials.secret_key for one in (store, expected)] == ["abc"] * 2
    assert request.headers.get("x-amz-security-token") == ("token" if way == "variables" else None)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("AKIDEXAMPLE\nAKIDEXAMPLE", "abc"), "the access key id holds a line end, a space"),
        (("AKID EXAMPLE", "abc"), "the access key id holds a line end, a space"),
        (("AKIDEXÄMPLE", "abc"), "the access key id holds a line end, a space or another"),
        (("AKIDEXAMPLE", "ab\nc"), "the secret access key holds a line end"),
        (("AKIDEXAMPLE", " "), "the secret access key is empty"),
        (('"AKIDEXAMPLE"', "abc"), "the access key id is in quotes"),
    ],
)
def test_keys_that_cannot_be_sent(scripted: Scripted, keys: tuple[str, str], message: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        connect(scripted.settings(access_keys=keys)).get("key")
    assert str(caught.value).startswith(f"The given access keys: {message}")
    assert "AKID" not in str(caught.value)
    assert not caught.value.retryable
    assert scripted.requests == []


@pytest.mark.parametrize(
    "text",
    [
        f"[role]\n{MFA}source_profile = base\n[base]\n{KEYS}",
        f"[role]\n{MFA}source_profile = role\n{KEYS}",
        f"[role]\nrole_arn = {ROLE}\nsource_profile = middle\n"
        f"[middle]\n{MFA}source_profile = base\n[base]\n{KEYS}",
        f"[role]\n{MFA}source_profile = tool\n[tool]\ncredential_process = touch %s\n",
    ],
)
@pytest.mark.parametrize("way", ["path", "text", "profile", "variable"])
def test_a_profile_that_needs_a_code_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, way: str
) -> None:
    path, started = tmp_path / "credentials", tmp_path / "started"
    path.write_text(text.replace("%s", str(started)))
    if way in ("profile", "variable"):
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    if way == "variable":
        monkeypatch.setenv("AWS_PROFILE", "role")
    settings = {
        "path": S3Settings("bucket", credentials_path=str(path), credentials_profile="role"),
        "text": S3Settings("bucket", credentials_text=path.read_text(), credentials_profile="role"),
        "profile": S3Settings("bucket", credentials_profile="role"),
        "variable": S3Settings("bucket"),
    }[way]
    with pytest.raises(
        CredentialsError, match="has an mfa_serial, and no one can type an MFA code"
    ) as caught:
        connect(settings)
    assert ("its source profile 'middle' has" in str(caught.value)) == ("middle" in text)
    assert not started.exists()


def test_a_source_profile_with_keys_is_used_by_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text(f"[role]\nrole_arn = {ROLE}\nsource_profile = base\n[base]\n{KEYS}{MFA}")
    connect(S3Settings("bucket", credentials_path=str(path), credentials_profile="role", region="eu-west-1"))


def test_files_that_may_not_be_read_are_named(tmp_path: Path) -> None:
    """botocore takes them for empty ones. Needs another user than root."""
    home = tmp_path / "home" / ".aws"
    home.mkdir(parents=True)
    (home / "credentials").write_text(f"[default]\n{KEYS}")
    (home / "credentials").chmod(0)
    for folder in (home, *home.parents):
        if tmp_path.parents[2] in folder.parents:
            folder.chmod(0o755)
    code = (
        "import os, sys\nfrom aqueduct_provider.storage.s3 import S3Settings, connect\n"
        "import botocore.session, botocore.credentials\n"
        "if os.getuid() == 0: os.setgroups([]), os.setuid(65534)\n"
        "try: connect(S3Settings('bucket'))\nexcept Exception as error: print(error)"
    )
    environ = {**os.environ, "HOME": str(home.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert f"This user may not read {home / 'credentials'}." in done.stdout, done.stdout + done.stderr
