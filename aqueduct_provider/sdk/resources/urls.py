"""A URL of a data system -> the fields of its configuration (Aqueduct formats, section 6; pure).

URLs hold passwords: no message repeats one, nor a part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.services import Service
from aqueduct_provider.spec.compiled_facts import is_secret_option

Fields = dict[str, str]


def fields_of(url: str, service: Service) -> Fields:
    """The fields that the URL gives, as text; ``options`` is a query string such as ``sslmode=require``.

    The scheme may name a driver, as in ``postgresql+psycopg2://``, which means nothing here.

    :raises ConfigError: it is no URL of this service.
    """
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError:
        # Its words may repeat the password.
        raise ConfigError(
            "url: cannot be read. Write / ? # @ : in user names and passwords as %2F %3F %23 %40 %3A."
        ) from None
    scheme = parts.scheme if service.family == "mongodb" else parts.scheme.partition("+")[0]
    if scheme not in service.schemes:
        known = " or ".join(f"{known}://" for known in service.schemes)
        raise ConfigError(f"url: one of {service.name} begins with {known}.")
    found = _READERS.get(service.name, _server)(url, parts) | ({"port": port} if port else {})
    return {key: value for key, value in found.items() if value and key in service.fields}


def options_of(text: str) -> dict[str, str]:
    """The options that a query string holds."""
    return dict(parse_qsl(text, keep_blank_values=True))


def public_options(text: str) -> str:
    """The options of a query string for people: ``***`` in place of secrets."""
    shown = {
        name: "***" if is_secret_option(name) or value[:1] in ("{", "[") else value
        for name, value in options_of(text).items()
    }
    return urlencode(shown, safe="*/:,")


def _server(_: str, parts: SplitResult) -> Fields:
    return {
        "host": parts.hostname or "",
        "database": unquote(parts.path.removeprefix("/")),
        **_login(parts),
        "options": parts.query,
    }


def _login(parts: SplitResult) -> Fields:
    return {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}


def _sqlite(_: str, parts: SplitResult) -> Fields:
    # sqlite:///relative, sqlite:////absolute.
    return {"database": unquote(parts.path.removeprefix("/"))}


def _snowflake(_: str, parts: SplitResult) -> Fields:
    database, _, schema = parts.path.strip("/").partition("/")
    options = options_of(parts.query)
    own = {name: options.pop(name, "") for name in ("warehouse", "role")}
    names = {"database": unquote(database), "schema": unquote(schema)}
    # Not .hostname: account identifiers keep their case.
    account = parts.netloc.rpartition("@")[2].partition(":")[0]
    return {"account_identifier": account, **names, **own, **_login(parts), "options": urlencode(options)}


def _bigquery(_: str, parts: SplitResult) -> Fields:
    return {"project_id": parts.hostname or "", "options": parts.query}


def _mongodb(url: str, parts: SplitResult) -> Fields:
    return {"auth_uri": url, "database": unquote(parts.path.removeprefix("/"))}


_READERS: dict[str, Callable[[str, SplitResult], Fields]] = {
    "SQLite": _sqlite,
    "Snowflake": _snowflake,
    "BigQuery": _bigquery,
    "MongoDB": _mongodb,
}
