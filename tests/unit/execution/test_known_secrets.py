"""Which of a worker's variables are secrets, and the keys of its store."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import CredentialsError
from aqueduct_provider.execution.known_secrets import store_secrets, variable_secrets
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.storage.s3 import S3Settings, connect


@pytest.mark.parametrize(
    ("name", "value", "secrets"),
    [
        ("DB_PASSWORD", "planted", ("planted",)),
        ("MY_TOKEN", "planted", ("planted",)),
        ("AWS_SECRET_ACCESS_KEY", "planted", ("planted",)),
        ("AIRFLOW__CORE__FERNET_KEY", "planted=", ("planted=",)),
        ("OPENAI_API_KEY", "planted", ("planted",)),
        (
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            "postgresql://me:pla%2Fnted@db/x",
            ("pla%2Fnted", "pla/nted"),
        ),
        ("AIRFLOW_CONN_SHOP", '{"login": "me", "password": "planted", "port": 1}', ("planted",)),
        ("AIRFLOW_CONN_SHOP", '{"extra": "{\\"private_key\\": \\"planted\\"}"}', ("planted",)),
        ("AIRFLOW__SECRETS__BACKEND", "airflow.providers.x.SecretsBackend", ()),
        ("AIRFLOW__SECRETS__BACKEND_KWARGS", '{"role_id": "me", "secret_id": "planted"}', ("planted",)),
        ("TOKENIZERS_PARALLELISM", "false", ()),
        ("AIRFLOW__API_AUTH__JWT_TOKEN_LEEWAY", "3600", ()),
        ("DB_PASSWORD_FILE", "somewhere", ()),
        ("MY_CREDENTIALS", "/etc", ()),
        ("DB_PASSWORD", "planted\r\n", ("planted",)),
        ("MY_TOKEN", "/run/secrets/token", ("/run/secrets/token",)),
        ("SHOP_AWS_SECRET_ACCESS_KEY", "/planted/K7MDENG", ("/planted/K7MDENG",)),
        ("DB_PASSWORD", "~planted", ("~planted",)),
        ("DB_PASSWORD", "12345678", ("12345678",)),
        ("DB_PASS", "1234", ("1234",)),
        ("CARD_PIN", "9876", ("9876",)),
        ("OPENAI_KEY", "planted", ("planted",)),
        ("MYSQL_PWD", "planted", ("planted",)),
        ("PWD", "/work", ()),
        ("OLDPWD", "/work", ()),
        ("USE_TOKEN", "true", ()),
        ("HOME", "/home/airflow", ()),
        ("PASSWORD", "", ()),
    ],
)
def test_secrets_of_a_variable(name: str, value: str, secrets: tuple[str, ...]) -> None:
    assert variable_secrets({name: value}) == secrets


def test_the_keys_of_a_store(tmp_path: Path) -> None:
    settings = S3Settings(
        "bucket", region="eu-central-1", access_keys=("key-id", "secret"), session_token="token"
    )
    assert store_secrets(connect(settings)) == ("key-id", "secret", "token")
    assert store_secrets(LocalStore(tmp_path)) == ()


def test_the_keys_of_a_credentials_file(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = key\naws_secret_access_key = secret\n")
    settings = S3Settings("bucket", region="eu-central-1", credentials_path=str(file))
    assert store_secrets(connect(settings)) == ("key", "secret")


def test_keys_that_cannot_be_had_are_no_error_here() -> None:
    settings = S3Settings("bucket", region="eu-central-1", access_keys=("key", "'quoted'"))
    store = connect(settings)
    with pytest.raises(CredentialsError, match="in quotes"):
        store.secrets()
    assert store_secrets(store) == ()
