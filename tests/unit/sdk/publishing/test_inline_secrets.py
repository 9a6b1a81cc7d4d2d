"""Credentials are refused wherever a spec or an archive would carry them, and never repeated."""

from __future__ import annotations

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.publishing.inline_secrets import (
    has_credentials,
    refuse_secrets,
    without_credentials,
)
from tests.graphs import STORE, op, param, user_function


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter2@example.com/simple",
        "x @ https://hunter2@example.com/x.whl",
        "x @ git+https://me:hunter2@example.com/x.git@main",
        "x @ git+ssh://me:hunter2@example.com/x.git",
        "https://:hunter2@example.com",
        "https://me:hunter2@part@example.com",
        "https://me:${NAME}hunter2@example.com",
    ],
)
def test_credentials_in_a_url(text: str) -> None:
    assert has_credentials(text)
    clean = without_credentials(text)
    assert "hunter2" not in clean
    assert "***@" in clean
    assert "example.com" in clean
    assert not has_credentials(clean.replace("***@", ""))


@pytest.mark.parametrize(
    "text",
    [
        "pandas==2.0",
        "x @ https://example.com/x.whl",
        "x @ git+https://example.com/x.git@v1:2",
        "x @ git+ssh://git@example.com/x.git",
        "x @ https://me:${TOKEN}@example.com/x.whl",
        "x @ https://${TOKEN}@example.com/x.whl",
        "x @ https://example.com/x?mail=a@b",
        "x @ https://example.com#a:b@c",
    ],
)
def test_no_credentials(text: str) -> None:
    assert not has_credentials(text)
    assert without_credentials(text) == text


def test_a_requirement_with_credentials_is_refused() -> None:
    function = user_function(len, "pandas", "x @ git+https://me:hunter2@example.com/x.git")
    operator = op("train", function=function).producer
    with pytest.raises(AuthoringError) as caught:
        refuse_secrets(STORE, [param("p", 1).producer, operator])
    assert "'train'" in str(caught.value)
    assert "x @ git+https://***@example.com/x.git" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("aws_access_key_id", "hunter2"),
        ("aws_secret_access_key", "hunter2"),
        ("password", "hunter2"),
        ("session_token", "hunter2"),
        ("endpoint_url", "https://me:hunter2@example.com"),
    ],
)
def test_a_store_with_credentials_is_refused(field: str, value: str) -> None:
    with pytest.raises(AuthoringError, match=f"{field} holds credentials.*s3_credentials_path") as caught:
        refuse_secrets({"type": "s3", "bucket": "b", field: value}, [])
    assert "hunter2" not in str(caught.value)


def test_a_store_that_names_where_its_credentials_lie_is_fine() -> None:
    store = {
        "type": "s3",
        "bucket": "b",
        "endpoint_url": "https://example.com:9000",
        "credentials_path": "/aws/credentials",
        "credentials_profile": "default",
    }
    refuse_secrets(store, [op("f", function=user_function(len, "pandas==2.0")).producer])
