"""Which parts of URLs are secrets, and what is shown of the rest."""

from __future__ import annotations

import pytest

from aqueduct_provider.spec.url_credentials import has_credentials, passwords_in, without_credentials


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter2@example.com/simple",
        "postgresql://me:hunter2@db/shop",
        "mongodb+srv://me:hunter2@cluster.example.com/?retryWrites=true",
        "x @ https://hunter2@example.com/x.whl",
        "x @ git+https://me:hunter2@example.com/x.git@main",
        "x @ git+ssh://me:hunter2@example.com/x.git",
        "https://:hunter2@example.com",
        "https://me:hunter2@part@example.com",
        "https://me:${NAME}hunter2@example.com",
        "https://me:hun/ter2@example.com/x",
        "https://example.com/x?token=hunter2",
        "https://example.com/x?a=1&X-Amz-Signature=hunter2#end",
        "https://example.com/x.zip?sv=2020&sig=hunter2",
        "jdbc:postgresql://db/shop?user=me&password=hunter2",
        "https://example.com/cb#access_token=hunter2",
    ],
)
def test_credentials_in_a_url(text: str) -> None:
    assert has_credentials(text)
    assert passwords_in(text)
    clean = without_credentials(text)
    assert "hunter2" not in clean
    assert "***" in clean


@pytest.mark.parametrize(
    "text",
    [
        "pandas==2.0",
        "x @ https://example.com/x.whl",
        "x @ git+https://example.com/x.git@v1:2",
        "x @ git+https://example.com:8443/x.git@v1.0",
        "x @ git+ssh://git@example.com/x.git@v1.0#subdirectory=src",
        "x @ https://me:${TOKEN}@example.com/x.whl",
        "x @ https://${TOKEN}@example.com/x.whl",
        "x @ https://example.com#a:b@c",
        "postgresql://me@db/shop",
        "not me@example.com",
    ],
)
def test_no_credentials(text: str) -> None:
    assert not has_credentials(text)
    assert without_credentials(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/x?mail=a@b",
        "https://example.com/x?page_size=3&sort_key=name",
        "https://example.com/x?token=${TOKEN}",
    ],
)
def test_queries_that_hold_none(text: str) -> None:
    assert not has_credentials(text)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("x @ https://example.com:8443/x.zip", "x @ https://example.com:8443/x.zip"),
        (
            "x @ git+https://me:hunter2@example.com/x.git@v1.0#subdirectory=src",
            "x @ git+https://***@example.com/x.git@v1.0#subdirectory=src",
        ),
        ("https://u:p@q@example.com/", "https://***@example.com/"),
        # In doubt, it is hidden: this may be a port, and a path with a @ in it.
        ("https://u:12/3@example.com/ y", "https://***@example.com/ y"),
        ("https://example.com/x?key=1#egg=x", "https://example.com/x?***#egg=x"),
        (
            "x @ https://me:pass@host/x.whl and https://token@git.host/y, not me@host https://host/a@b",
            "x @ https://***@host/x.whl and https://***@git.host/y, not me@host https://host/a@b",
        ),
    ],
)
def test_what_is_shown(line: str, shown: str) -> None:
    assert without_credentials(line) == shown
