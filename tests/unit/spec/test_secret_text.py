"""What is recognised as a secret, and what only looks a little like one."""

from __future__ import annotations

import pytest

from aqueduct_provider.spec.secret_text import is_secret_name, is_secret_value, secret_in

# In pieces, so that this file holds none that scanners of repositories would report.
SECRETS = {
    "postgresql://me:hunter2@db/shop": "a URL with a password",
    "see mongodb+srv://me:hunter2@cluster.example.com/x now": "a URL with a password",
    "https://example.com/x?X-Amz-Signature=0a1b2c3d": "a URL with a password",
    "Server=tcp:db,1433;User ID=me;Password=hunter2;": "a connection string",
    "host=db user=me password='hunter2'": "a connection string",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aGVsbG8gd29ybGQ=": "a connection string",
    "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE": "a private key",
    "-----BEGIN " + "PRIVATE KEY-----": "a private key",
    "-----BEGIN OPENSSH " + "PRIVATE KEY-----": "a private key",
    "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----": "a private key",
    "AKIA" + "IOSFODNN7EXAMPLE": "an access key of AWS",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstu-v": "an API key of Google",
    "ghp" + "_0123456789abcdefghijABCDEFGHIJ012345": "a token of GitHub",
    "github" + "_pat_0123456789abcdefghijAB_x": "a token of GitHub",
    "glpat" + "-0123456789abcdefghij": "a token of GitLab",
    "xoxb" + "-123456789012-abcdefghijkl": "a token of Slack",
    "https://hooks.slack" + ".com/services/T00000000/B00000000/abcdefghijkl": "a webhook of Slack",
    "sk" + "_live_0123456789abcdefghij": "a key of Stripe",
    "sk" + "-proj-0123456789abcdefghij_kl": "an API key",
    "sk" + "-0123456789abcdefghijklmnop": "an API key",
    "hf" + "_abcdefghijklmnopqrstuvwxyzABCDEFGH": "a token of Hugging Face",
    "dapi" + "0123456789abcdef0123456789abcdef": "a token of Databricks",
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0.abcdefghijkl": "a JSON web token",
    "host = db user = me password = hunter2": "a connection string",
    "AWS_SECRET_ACCESS_KEY" + "=wJalrXUtnFEMI/K7MDENG": "a variable with a secret",
    "# settings\nexport DB_PASSWORD" + "='hunter2hunter'\nDEBUG=1": "a variable with a secret",
    "Authorization: Basic " + "bWU6aHVudGVyMg==": "an Authorization header",
    "https://discord" + ".com/api/webhooks/123456789/abcdefghijklmnopqrstu": "a webhook of Discord",
    "https://example.com/x?access_token=0a1b2c3d": "a URL with a password",
    "glsa" + "_abcdefghijklmnopqrstuvwxyzABCDEF_01234567": "a token of Grafana",
    "ntn" + "_" + "0123456789" * 4 + "abc": "a token of Notion",
    "shpat" + "_0123456789abcdef0123456789abcdef": "a token of Shopify",
    "dckr" + "_pat_abcdefghijklmnopqrstuvwxyz0": "a token of Docker",
    "gsk" + "_" + "aB3" * 16: "a key of Groq",
    "NRAK" + "-" + "ABC" * 9: "a key of New Relic",
    "whsec" + "_" + "aB3+" * 8: "a secret of Stripe",
    "[default]\naws_secret_access_key = " + "wJalr": "a line of an AWS credentials file",
    "aws_session_token: " + "wJalr": "a line of an AWS credentials file",
    '{"user": "me", "password": ' + '"hunter2"}': "a secret by its name",
    "{'api_key': " + "'hunter2'}": "a secret by its name",
    "Authorization: Bearer " + "0123456789abcdefghijklmnop": "an Authorization header",
}


@pytest.mark.parametrize("text", SECRETS)
def test_texts_that_are_secrets(text: str) -> None:
    for prose in (True, False):
        assert secret_in(text, prose=prose).startswith(SECRETS[text])
    assert secret_in(f"x = '{text}'")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "https://example.com/a?page=2&token_count=3",
        "postgresql://me@db/shop",
        "postgresql://me:${DB_PASSWORD}@db/shop",
        "postgresql://me:{{ conn.db.password }}@db/shop",
        "postgresql://{user}:{password}@db/shop",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "SELECT password FROM users WHERE host='a' AND pwd = 'b'",
        "sk-learn-pipeline-with-a-rather-long-name",
        "basic understanding of bearer instruments 2024",
        "a risk-0123456789abcdefghijklmnop",
        "AKIA",
        "s3://bucket/key=AKIA/part=1",
        "task_ghp_1",
        "0123456789abcdef" * 4,
        "6a1d3f0e-8c0b-4c5e-9d2f-0123456789ab",
        "user=me password=",
        "https://api.example.com/items?page_token=abc&limit=3",
        "https://api.example.com/items?next_page_token=CAUQAA&pageToken=abc",
        "https://example.com/?auth=1",
        "SELECT * FROM t WHERE user=:user AND password=:password",
        "SELECT * FROM t WHERE user=%s AND password=%s",
        "server=db;user=me;password=%s",
        "basic information12345678901234567890",
        "sk-or-something-else-entirely-here",
        "xoxb-hugs-and-kisses",
        "max_tokens=12345678",
        "sort_key=2024-01-01",
        "host=db password=***",
        "write to http://me@you.example",
        "http://user@proxy.example:8080",
        "https://example.com/x?auth=basic",
        "https://example.com/x?auth=oauth2&token=jwt",
        '{"password": "${DB_PASSWORD}", "token": "<eos>"}',
        '{"pad_token": "hunter2", "password": ""}',
        '{"password": "your-password"}',
    ],
)
def test_texts_that_are_none(text: str) -> None:
    assert secret_in(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Give it a URL such as postgresql://user:password@host/db.",
        "like https://me:your-password@example.com or https://TOKEN@example.com",
        "Server=db;User ID=me;Password=changeme",
    ],
)
def test_examples_are_allowed_in_prose_only(text: str) -> None:
    assert secret_in(text, prose=True) == ""
    assert secret_in(text)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db_password",
        "dbPassword",
        "DB_PASSWORD",
        "password2",
        "passwd",
        "pwd",
        "passphrase",
        "token",
        "access_token",
        "githubToken",
        "auth-token",
        "secret",
        "client_secret",
        "api_key",
        "apikey",
        "apiKey",
        "API_KEY",
        "openai api key",
        "secret_access_key",
        "aws_access_key_id",
        "private_key",
        "encryption_key",
        "password_value",
        "DBPASSWORD",
        "mypassword",
        "passwords",
        "db_pass",
        "creds",
        "aws credentials",
        "openai_key",
        "ssh-key",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "max_tokens",
        "tokens",
        "token_count",
        "num_tokens",
        "token_limit",
        "tokenizer",
        "pad_token",
        "eos_token",
        "next_page_token",
        "password_column",
        "password_length",
        "password_file",
        "token_path",
        "secret_name",
        "secret_arn",
        "api_key_env",
        "api_key_name",
        "key",
        "primary_key",
        "sort_key",
        "keys",
        "credentials_profile",
        "monkey",
        "secretary",
        "passengers",
        "compass",
        "pass",
        "openai_keyword",
        "credentials_path",
        "1",
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


def test_values_of_things_with_secret_names() -> None:
    for value in ("hunter2", b"hunter2", " x ", "пароль", "$ecret", "password"):
        assert is_secret_value(value)
    for harmless in (
        "",
        " ",
        b"",
        ", ",
        "***",
        "${NAME}",
        "$NAME",
        "{{ var.value.x }}",
        "<eos>",
        "[PAD]",
        "xxx",
    ):
        assert not is_secret_value(harmless)
