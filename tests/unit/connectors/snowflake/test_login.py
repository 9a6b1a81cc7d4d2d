"""What Snowflake's driver is given to log in with, with real keys."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from aqueduct_provider.connectors.snowflake.database import connect
from aqueduct_provider.connectors.snowflake.login import login_of, refuse_unknown, session_parameters
from aqueduct_provider.errors import ConfigError, DataSystemLoginFailed

KEY = generate_private_key(65537, 2048)
DER = KEY.private_bytes(
    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
CONFIG = {
    **{"account_identifier": "a", "username": "u", "password": "planted-31", "database": "d"},
    **{"warehouse": "w"},
}


def pem(phrase: str = "") -> str:
    locked = (
        serialization.BestAvailableEncryption(phrase.encode()) if phrase else serialization.NoEncryption()
    )
    return KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked).decode()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the driver was given."""
    seen: dict[str, Any] = {}
    monkeypatch.setattr(snowflake.connector, "connect", lambda **settings: seen.update(settings))
    return seen


def test_a_password() -> None:
    assert login_of("it", "p", {}) == {"password": "p"}
    assert login_of("it", "p", {"insecure_mode": True}) == {"password": "p", "disable_ocsp_checks": True}


@pytest.mark.parametrize(
    ("text", "password"),
    [
        (pem(), ""),
        (pem("phrase"), "phrase"),
        (base64.b64encode(pem().encode()).decode(), ""),
        (base64.b64encode(pem("phrase").encode()).decode(), "phrase"),
    ],
)
def test_a_key_as_text(given: dict[str, Any], text: str, password: str) -> None:
    connect("Snowflake", {**CONFIG, "password": password, "options": {"private_key_content": text}})
    assert given["private_key"] == DER
    assert "password" not in given
    assert "private_key_content" not in given


@pytest.mark.parametrize("text", ["planted-31", pem("other"), "LS0t"])
def test_a_key_that_is_none(text: str) -> None:
    with pytest.raises(DataSystemLoginFailed, match="private_key_content is not a private key") as caught:
        login_of("it", "planted-31", {"private_key_content": text})
    assert "planted-31" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_key_in_a_file(given: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "key.p8").write_text(pem("007"))
    file = {"private_key_file": str(tmp_path / "key.p8")}
    connect("Snowflake", {**CONFIG, "password": "", "options": {**file, "private_key_passphrase": "007"}})
    assert (given["private_key_file"], "password" in given) == (file["private_key_file"], False)
    assert login_of("it", "phrase", dict(file)) == {"private_key_file_pwd": "phrase"}
    with pytest.raises(ConfigError, match="private_key_content and private_key_file are both given"):
        login_of("it", "", {**file, "private_key_content": "x"})


def test_a_token(given: dict[str, Any]) -> None:
    connect("Snowflake", {**CONFIG, "options": {"authenticator": "programmatic_access_token"}})
    assert (given["token"], given["authenticator"]) == ("planted-31", "programmatic_access_token")


def test_parameters_of_the_session(given: dict[str, Any]) -> None:
    options = {
        "session_parameters": '{"QUERY_TAG": "t", "TIMEZONE": "Europe/Rome"}',
        "authenticator": "oauth",
    }
    connect("Snowflake", {**CONFIG, "options": options})
    assert given["session_parameters"] == {"QUERY_TAG": "t", "TIMEZONE": "UTC"}
    assert given["authenticator"] == "oauth"
    with pytest.raises(ConfigError, match="session_parameters must be a JSON object"):
        session_parameters("it", {"session_parameters": "QUERY_TAG=t"})


def test_options_that_the_driver_would_ignore() -> None:
    refuse_unknown("Snowflake", {"login_timeout": 5, "private_key_content": "x", "insecure_mode": True})
    with pytest.raises(ConfigError, match=r"authenticater is unknown, did you mean 'authenticator'\?"):
        refuse_unknown("Snowflake", {"authenticater": "oauth"})
