"""The secrets of the compiled dialect: all of them, and nothing that would blacken a whole log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from aqueduct_provider.spec.compiled_facts import Compiled, secret_texts


def test_keys_of_the_storage_and_of_connectors_are_secrets_and_settings_are_not() -> None:
    compiled = Compiled(
        {},
        (SecretStr("id"), SecretStr("key")),
        {
            "op": {
                "type": "access_key",
                "secret_access_key": "s3cret",
                "bucket": "data",
                "use_as_storage": "true",
            }
        },
    )
    assert compiled.secrets == ("s3cret", "key", "id")


def test_the_keys_inside_a_credentials_file_are_secrets_of_their_own() -> None:
    content = (
        "[a]\naws_access_key_id = AKIA\n  AWS_SECRET_ACCESS_KEY=abc\nregion = us-east-2\noutput = json\n"
    )
    compiled = Compiled({}, None, {"op": {"config_file_content": content, "config_file_path": ""}})
    assert compiled.secrets == (content, "AKIA", "abc")


def test_no_secret_is_shown() -> None:
    compiled = Compiled({}, (SecretStr("id"), SecretStr("key")), {"op": {"password": "hunter2"}})
    assert "hunter2" not in repr(compiled)
    assert "key'" not in repr(compiled)


@pytest.mark.parametrize(
    ("config", "secrets"),
    [
        ({}, ()),
        ({"username": "ada", "password": "hunter2", "host": "h", "port": 5432}, ("hunter2",)),
        ({"options": {"sslmode": "require", "sslpassword": "in-options"}}, ("in-options",)),
        ({"options": {"Access_Token": "t0ken", "passfile": ""}}, ("t0ken",)),
        (
            {
                "options": {
                    "private_key_file_pwd": "phrase",
                    "private_key_file": "/k",
                    "token_file_path": "/t",
                }
            },
            ("phrase",),
        ),
        ({"options": {"client_request_mfa_token": "true", "passcode": "123456"}}, ("123456",)),
        ({"options": {"nested": '{"a": [{"client_secret": "deep", "b": 1}]}', "odd": "{no"}}, ("deep",)),
        ({"options": {"deep": '{"a":' * 900 + '{"token": "deep"}' + "}" * 900}}, ("deep",)),
        ({"options": {"deep": "[" * 100_000}}, ()),
        ({"login": {"ways": [{"token": "t0ken", "name": "n"}]}, "extra": ["x"]}, ("t0ken",)),
        ({"endpoint_url": "http://x", "session_token": "t0ken"}, ("t0ken",)),
        (
            {
                "auth_uri": "mongodb://h/?tlsCertificateKeyFilePassword=a%2Bb&authMechanismProperties="
                "AWS_SESSION_TOKEN:c%2Cd"
            },
            (
                "mongodb://h/?tlsCertificateKeyFilePassword=a%2Bb&authMechanismProperties=AWS_SESSION_TOKEN:c%2Cd",
                "a+b",
                "c",
                "a%2Bb",
            ),
        ),
        ({"password": ""}, ()),
        ({"password": None, "unknown_field": "new-secret"}, ("new-secret",)),
        (
            {"auth_uri": "mongodb+srv://me:p%40ss@host/?a=b", "database": "d"},
            ("mongodb+srv://me:p%40ss@host/?a=b", "p%40ss", "p@ss"),
        ),
        ({"auth_uri": "mongodb://me:plain@a,b:1/"}, ("mongodb://me:plain@a,b:1/", "plain")),
        ({"auth_uri": "mongodb://host:27017/a@b"}, ("mongodb://host:27017/a@b",)),
        ({"service_account_credentials": "no json"}, ("no json",)),
        ({"service_account_credentials": "[1]"}, ("[1]",)),
    ],
)
def test_what_is_secret_in_a_configuration(config: dict[str, Any], secrets: tuple[str, ...]) -> None:
    assert secret_texts(config) == secrets


def test_the_keys_of_a_service_account_are_secrets_of_their_own() -> None:
    account = {
        "type": "service_account",
        "private_key": "-----BEGIN\nKEY\n-----END",
        "private_key_id": "id-1",
        "client_email": "me@example.org",
        "token_uri": 5,
    }
    text = json.dumps(account)
    assert secret_texts({"project_id": "p", "service_account_credentials": text}) == (
        text,
        "-----BEGIN\nKEY\n-----END",
        "id-1",
    )


def test_a_session_token_in_a_credentials_file_is_secret() -> None:
    content = "[a]\naws_session_token=tok/en==\n"
    assert secret_texts({"config_file_content": content, "config_file_path": "/p"}) == (content, "tok/en==")
