"""Where Airflow is, and who asks: what a user gives, checked before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aqueduct_provider.errors import ConfigError

# The characters of a token: anything else would break the header that it is sent in.
SENDABLE = r"[\x21-\x7e]"


@dataclass(frozen=True)
class AirflowLogin:
    """Where Airflow is and who asks. Without token and user name: what Airflow gives to everyone.

    :param host: ``host:port``, which is asked over http, or a URL, with a path where Airflow is behind one.
    :param token: a bearer token; beats user name and password.
    :param ca_file: PEM file of the CA of Airflow's certificate, when it is not one of the usual ones.
    :raises ConfigError: the host is neither, or user name, password or token cannot be sent.
    """

    host: str
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca_file: str = ""

    def __post_init__(self) -> None:
        address_of(self.host)
        if not re.fullmatch(SENDABLE + "*", self.token):
            raise ConfigError(
                "The token holds blanks, line breaks or other characters that no token has. Copy it again."
            )
        # Bytes of the environment that are not UTF-8 become lone surrogates.
        if re.search(r"[\ud800-\udfff]", self.username + self.password):
            raise ConfigError(
                "The user name or the password is not UTF-8 and cannot be sent. Set it again as UTF-8."
            )

    @property
    def url(self) -> str:
        """The URL before every path, without a slash at its end."""
        return address_of(self.host)

    @property
    def who(self) -> str:
        """Who asks, as messages name them."""
        if self.token:
            return "the token given"
        return f"the user {self.username!r}" if self.username else "a client without user name and token"


def address_of(host: str) -> str:
    """Return the URL for ``host:port`` or a URL.

    :raises ConfigError: it is neither; names it without a password.
    """
    text = host.strip()
    shown = repr(text.rpartition("@")[2])
    if "@" in text:
        raise ConfigError(
            f"Airflow's host ...@{shown[1:-1]} holds a user name or password. Give them apart from it."
        )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        raise _no_host(shown) from None
    plain = re.fullmatch(SENDABLE + "+", text) and not (parts.query or parts.fragment or "\\" in text)
    has_path = "://" not in text and parts.path not in ("", "/")
    if parts.scheme not in ("http", "https") or not (parts.hostname and plain and port_is_right) or has_path:
        raise _no_host(shown)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _no_host(shown: str) -> ConfigError:
    return ConfigError(
        f"Airflow's host {shown} is not a valid address. Write host:port, such as localhost:8080, or a URL,"
        " such as https://example.com/airflow."
    )
