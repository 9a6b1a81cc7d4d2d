"""What providers of credentials raise, with real files and real processes: each its own cause and fix."""

from __future__ import annotations

import pickle
import re
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import CredentialsError, DataSystemLoginFailed, StorageError, StorageUnavailable
from aqueduct_provider.storage.aws_credential_errors import CredentialSource, credentials_door
from aqueduct_provider.storage.s3 import S3Settings, connect
from aqueduct_provider.storage.s3_client import other_services

from .conftest import Scripted, answer, refusal

KEYS = "aws_access_key_id = AKIAPLANTED777777\naws_secret_access_key = planted-secret-77\n"
ROLE = "arn:aws:iam::123456789012:role/x"
BAD = ("AKIAPLANTED777777", "planted-secret-77", "planted-argument-77")


pytestmark = pytest.mark.usefixtures("no_aws_variables")


def failure(settings: S3Settings) -> StorageError:
    """The error of a first request with these settings; it is one message, and shows no secret."""
    with pytest.raises(StorageError) as caught:
        connect(settings).get("key")
    message = str(caught.value)
    assert not any(secret in message for secret in BAD)
    assert str(pickle.loads(pickle.dumps(caught.value))) == message
    return caught.value


def of_file(tmp_path: Path, text: str, profile: str = "", **changes: Any) -> StorageError:
    path = tmp_path / "credentials"
    path.write_text(text)
    usual: dict[str, Any] = {"region": "eu-west-1", "max_attempts": 1, "endpoint_url": "http://127.0.0.1:1"}
    return failure(
        S3Settings("bucket", credentials_path=str(path), credentials_profile=profile, **{**usual, **changes})
    )


def script(tmp_path: Path, body: str) -> Path:
    """A program that can be started by its path."""
    path = tmp_path / "credential-tool"
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(0o700)
    return path


# --- credential_process

JSON = '{"Version": 1, "AccessKeyId": "AKIAPLANTED777777", "SecretAccessKey": "planted-secret-77"%s}'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, r"credential_process .*/credential-tool cannot be started: No such file"),
        ("#", r"printed something that is not JSON.*must print one JSON object with Version 1"),
        ("print('hello')", "printed something that is not JSON"),
        ("print([1])", "printed something that is not JSON"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "printed something that is not JSON"),
        (
            "import sys; sys.exit('session has ended\\nlog in again')",
            "gave no credentials: log in again. Run it",
        ),
        ("import sys; sys.exit(3)", "gave no credentials: it ended with an error and printed nothing"),
        (
            "import sys; sys.exit('SecretAccessKey=planted-secret-77')",
            r"gave no credentials: SecretAccessKey=\*\*\*",
        ),
        ("import sys; sys.exit('no AKIAPLANTED777777')", r"gave no credentials: no \*\*\*"),
        ("""print('{"Version": 2}')""", "gave no credentials: Unsupported version '2'"),
        (
            """print('{"Version": 1}')""",
            "gave no credentials: Missing required key in response: 'AccessKeyId'",
        ),
        (
            f"""print('{JSON % ', "Expiration": "2001-01-01T00:00:00Z"'}')""",
            "have expired already when they arrive. Renew them where they come from, and check this machine",
        ),
        (f"""print('{JSON % ', "Expiration": "planted-secret-77"'}')""", "is not JSON with credentials"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_processes(tmp_path: Path, body: str | None, message: str, nested: bool) -> None:
    program = tmp_path / "credential-tool" if body is None else script(tmp_path, body)
    text = f"[dev]\ncredential_process = {program} --key planted-argument-77\n"
    text += f"[role]\nrole_arn = {ROLE}\nsource_profile = dev\n"
    error = of_file(tmp_path, text, "role" if nested else "dev")
    assert isinstance(error, CredentialsError)
    assert error.__cause__ is None
    assert error.__suppress_context__
    error_text = str(error).replace("\n", " ")
    assert error_text.startswith(
        f"Profile '{'role' if nested else 'dev'}' of the credentials file {tmp_path}"
    )
    assert re.search(message, error_text), error_text


def test_a_process_that_may_not_be_executed(tmp_path: Path) -> None:
    program = script(tmp_path, "#")
    program.chmod(stat.S_IRUSR)
    error = of_file(tmp_path, f"[default]\ncredential_process = {program}\n")
    assert "cannot be started: Permission denied. Install it" in str(error)


def test_a_process_that_works(tmp_path: Path, scripted: Scripted) -> None:
    path = tmp_path / "credentials"
    path.write_text(f"[default]\ncredential_process = {script(tmp_path, f'print({JSON % str()!r})')}\n")
    scripted.answers = [answer(200, b"data")]
    assert connect(scripted.settings(access_keys=None, credentials_path=str(path))).get("key") == b"data"
    assert scripted.requests[-1].access_key == "AKIAPLANTED777777"


# --- roles and web identity


@pytest.fixture
def role_file(tmp_path: Path, scripted: Scripted) -> Path:
    path = tmp_path / "credentials"
    path.write_text(
        f"[default]\nrole_arn = {ROLE}\nsource_profile = base\nendpoint_url = {scripted.url}\n[base]\n{KEYS}"
    )
    return path


def test_a_refused_role(scripted: Scripted, role_file: Path) -> None:
    scripted.answers = [
        answer(
            403,
            b"<ErrorResponse><Error><Code>AccessDenied</Code>"
            b"<Message>AKIAPLANTED777777 is not authorized</Message></Error></ErrorResponse>",
        )
    ]
    error = failure(scripted.settings(access_keys=None, credentials_path=str(role_file)))
    assert isinstance(error, CredentialsError)
    # The region of the connection, as nothing else names one.
    assert scripted.requests[0].region == "eu-west-1"
    assert "AssumeRole was refused (AccessDenied: *** is not authorized). Correct role_arn" in str(error)


def test_an_overloaded_sts_may_be_tried_again(scripted: Scripted, role_file: Path) -> None:
    scripted.answers = [answer(503, b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>")]
    error = failure(scripted.settings(access_keys=None, credentials_path=str(role_file), max_attempts=1))
    assert isinstance(error, StorageUnavailable)
    assert "AWS is overloaded or down" in str(error)


def test_an_sts_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    error = of_file(tmp_path, f"[default]\nrole_arn = {ROLE}\nsource_profile = b\n[b]\n{KEYS}")
    assert isinstance(error, StorageUnavailable)
    assert "the service that gives the credentials does not answer" in str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"[default]\nrole_arn = {ROLE}\nsource_profile = gone\n",
            r'source_profile "gone" .* does not exist',
        ),
        (
            f"[default]\nrole_arn = {ROLE}\nsource_profile = b\n[b]\nregion = x\n",
            r'"b" must have credentials',
        ),
        (
            f"[default]\nrole_arn = {ROLE}\nsource_profile = b\n"
            f"[b]\nrole_arn = {ROLE}\nsource_profile = default\n",
            "Infinite loop.*Let the last source_profile be one that has keys",
        ),
        (f"[default]\nrole_arn = {ROLE}\n", "Partial credentials.*Add what is missing"),
        (
            f"[default]\nrole_arn = {ROLE}\ncredential_source = Environment\n",
            "No credentials found in credential_s",
        ),
        (f"[default]\nrole_arn = {ROLE}\ncredential_source = Odd\n", "Odd"),
        (
            "[default]\nsso_start_url = https://x\nsso_region = eu-west-1\n"
            "sso_account_id = 1\nsso_role_name = r\n",
            "Error loading SSO Token.*aws sso login --profile default.*tasks that run unattended",
        ),
        (
            "[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
            "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x\n",
            "aws sso login --profile default",
        ),
        ("[default]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = r\n", "gone"),
    ],
)
def test_profiles_that_give_nothing(tmp_path: Path, text: str, message: str) -> None:
    error = of_file(tmp_path, text)
    assert isinstance(error, CredentialsError)
    assert re.search(message, str(error)), str(error)


WEB = f"[default]\nrole_arn = {ROLE}\nweb_identity_token_file = "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff\xfe", "cannot be read: it is not text"),
        (b"", "Invalid length"),
    ],
)
def test_web_identity_files(tmp_path: Path, content: bytes | None, message: str) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)
    error = of_file(tmp_path, f"{WEB}{token}\n")
    assert isinstance(error, CredentialsError)
    assert message in str(error)


def test_a_web_identity_that_is_refused(tmp_path: Path, scripted: Scripted) -> None:
    (tmp_path / "token").write_text("planted-secret-77")
    scripted.answers = [
        answer(
            400,
            b"<ErrorResponse><Error><Code>ExpiredTokenException</Code><Message>old</Message></Error></ErrorResponse>",
        )
    ]
    error = of_file(tmp_path, f"{WEB}{tmp_path / 'token'}\nendpoint_url = {scripted.url}\n", endpoint_url="")
    assert "was refused (ExpiredTokenException: old)" in str(error)
    assert "what writes the web identity token file" in str(error)


def test_web_identity_by_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "gone"))
    error = failure(S3Settings("bucket", region="eu-west-1"))
    assert f"token file {tmp_path / 'gone'} cannot be read: No such file" in str(error)


# --- services of the machine


def test_a_container_whose_service_refuses(monkeypatch: pytest.MonkeyPatch, scripted: Scripted) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{scripted.url}/role")
    scripted.answers = [answer(500, b"busy")]
    error = failure(S3Settings("bucket", region="eu-west-1"))
    assert isinstance(error, StorageUnavailable)
    assert str(error).startswith("The credentials service of this container: ")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/gone")
    assert "No such file or directory: '/gone'" in str(failure(S3Settings("bucket", region="eu-west-2")))


def test_a_machine_without_credentials(monkeypatch: pytest.MonkeyPatch, scripted: Scripted) -> None:
    """The service answers, but not in time or with what it should: botocore goes on as if there were none."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", scripted.url)
    scripted.answers = [answer(500, b"busy")]
    error = failure(S3Settings("bucket", region="eu-west-1"))
    assert "raise AWS_METADATA_SERVICE_TIMEOUT and AWS_METADATA_SERVICE_NUM_ATTEMPTS" in str(error)


# --- files


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xef\xbb\xbf[default]\n" + KEYS.encode(), "line 1: it begins with a byte order mark"),
        (
            b"[default]\n" + KEYS.encode() * 2,
            "line 4: aws_access_key_id is set twice in the section [default]",
        ),
        (b"[default]\n" + KEYS.encode() + b"[default]\n", "line 4: the section [default] is there twice"),
        (KEYS.encode(), "line 1: no section header precedes it"),
    ],
)
def test_files_that_cannot_be_parsed(
    tmp_path: Path, data: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "credentials"
    path.write_bytes(data)
    error = failure(S3Settings("bucket", credentials_path=str(path)))
    assert str(error).startswith(f"The credentials file {path} cannot be parsed: {message}"), str(error)
    error = failure(S3Settings("bucket", credentials_text=data.decode()))
    assert str(error).startswith(f"The given credentials text cannot be parsed: {message}"), str(error)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    for profile in ("", "default"):
        error = failure(S3Settings("bucket", credentials_profile=profile))
        assert f"the AWS file {path} cannot be parsed: {message}".lower() in str(error).lower()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / ".aws"
    folder.mkdir(parents=True)
    (folder / "credentials").write_text(f"[base]\n{KEYS}")
    (folder / "config").write_text(f"[profile role]\nrole_arn = {ROLE}\nsource_profile = base\n")
    return folder


def test_a_role_in_the_config_file_is_pointed_at(home: Path, tmp_path: Path) -> None:
    error = failure(S3Settings("bucket", credentials_path="~/.aws/credentials", credentials_profile="role"))
    assert str(error).startswith(
        "The credentials file ~/.aws/credentials has no profile 'role'; it has: base."
    )
    assert f"{home / 'config'} has a profile 'role', but that file is not read" in str(error)
    assert "or leave the credentials path empty, so that both of AWS's usual files are read" in str(error)
    # Elsewhere, the file beside is meant.
    other = tmp_path / "other"
    (home / "credentials").rename(other)
    (home / "config").rename(tmp_path / "config")
    error = failure(S3Settings("bucket", credentials_path=str(other), credentials_profile="role"))
    assert f"{tmp_path / 'config'} has a profile 'role'" in str(error)
    assert str(error).endswith(f"Copy the profile from there into {other}.")


def test_a_source_profile_in_the_other_file_is_pointed_at(home: Path) -> None:
    settings = S3Settings("bucket", credentials_path=str(home / "config"), credentials_profile="role")
    assert f"{home / 'credentials'} has a profile 'base', but that file is not read" in str(failure(settings))


def test_without_a_path_both_files_are_read(home: Path, moto_settings: S3Settings) -> None:
    config = home / "config"
    config.write_text(config.read_text() + f"endpoint_url = {moto_settings.endpoint_url}\n")
    store = connect(replace(moto_settings, credentials_path="", credentials_profile="role", endpoint_url=""))
    store.put("key", b"1")
    assert store.get("key") == b"1"


def test_names_with_spaces(tmp_path: Path, scripted: Scripted) -> None:
    path = tmp_path / "credentials"
    for section in ("my profile", 'profile "my profile"'):
        path.write_text(f"[{section}]\n{KEYS}")
        scripted.answers = [answer(200, b"data")]
        settings = scripted.settings(
            access_keys=None, credentials_path=str(path), credentials_profile="my profile"
        )
        assert connect(settings).get("key") == b"data"
    error = of_file(tmp_path, f"[profile my profile]\n{KEYS}", "my profile")
    assert 'Write [profile "my profile"], with quotes' in str(error)


# --- answers of the store


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ExpiredToken", "They were temporary: fetch new ones"),
        ("RequestTimeTooSkewed", "The clock of this machine is wrong"),
        ("InvalidAccessKeyId", "Correct the keys in the credentials file"),
    ],
)
def test_refused_keys(scripted: Scripted, code: str, message: str) -> None:
    scripted.answers = [refusal(403, code)]
    assert message in str(failure(scripted.settings(access_keys=("AKIAPLANTED777777", "planted-secret-77"))))


# --- other clients of AWS


def test_other_services_leave_by_the_same_door(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("[default]\ncredential_process = /nope/tool\n")
    with (
        pytest.raises(CredentialsError, match="credential_process /nope/tool cannot be started"),
        other_services(S3Settings("bucket", credentials_path=str(path))),
    ):
        pass


def test_athena_leaves_by_it_too(tmp_path: Path, scripted: Scripted) -> None:
    from aqueduct_provider.connectors.athena.database import connect as athena

    path = tmp_path / "credentials"
    path.write_text(f"{WEB}{tmp_path / 'gone'}\nregion = eu-west-1\n")
    config = {"type": "config_file_path", "config_file_path": str(path), "database": "d"}
    config |= {"output_location": "s3://bucket/", "endpoint_url": scripted.url}
    with pytest.raises(DataSystemLoginFailed, match=r"web identity token file .*gone cannot be read"):
        athena("Athena", config).check()


def test_errors_of_ours_pass() -> None:
    with pytest.raises(StorageUnavailable, match="as it is"), credentials_door(CredentialSource("it")):
        raise StorageUnavailable("as it is")
