from __future__ import annotations

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.airflow_api.login import AirflowLogin, address_of

# --- the address


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("localhost:8080/", "http://localhost:8080"),
        (" localhost:8080\n", "http://localhost:8080"),
        ("http://10.0.0.1:80", "http://10.0.0.1:80"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com/airflow", "https://example.com/airflow"),
        ("https://example.com:8443/a/b/", "https://example.com:8443/a/b"),
        ("[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_addresses(host: str, url: str) -> None:
    assert address_of(host) == url
    assert AirflowLogin(host).url == url


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "http://",
        "ftp://example.com",
        "example.com/airflow",
        "example.com:port",
        "example.com:0",
        "example.com:99999",
        "http://exam ple.com",
        "http://example.com/?x=1",
        "http://example.com/#home",
        "http:\\\\example.com",
        "http://[::1",
        ":8080",
    ],
)
def test_what_is_no_address(host: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a valid address\. Write host:port") as failure:
        AirflowLogin(host)
    assert repr(host.strip()) in str(failure.value)


@pytest.mark.parametrize(
    "host", ["http://ann:pa55@example.com:8080", "ann:pa55@example.com", "https://a@b@c"]
)
def test_addresses_hold_no_password(host: str) -> None:
    with pytest.raises(ConfigError, match=r"holds a user name or password") as failure:
        AirflowLogin(host)
    assert host.rpartition("@")[2] in str(failure.value)
    assert "pa55" not in str(failure.value)
    assert "pa55" not in repr(failure.value.__context__)


# --- what is given


def test_secrets_are_not_shown() -> None:
    login = AirflowLogin("h", "ann", "secret-1", "secret-2")
    assert "ann" in repr(login)
    assert "secret" not in repr(login)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"token": "secret\n"}, "The token holds blanks"),
        ({"token": "secrét"}, "The token holds blanks"),
        ({"username": "ann", "password": "secret\udcfc"}, "is not UTF-8"),
    ],
)
def test_what_cannot_be_sent(given: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as failure:
        AirflowLogin("h", **given)
    assert "secret" not in str(failure.value)
