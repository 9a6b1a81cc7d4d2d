"""A URL of a data system -> the fields of its configuration (Aqueduct formats, section 6; pure).

URLs hold passwords: no message repeats one, nor a part of it.
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from aqueduct_provider.connectors.system import DataSystem, url_options
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.compiled_facts import is_secret_option

Fields = dict[str, str]


def fields_of(url: str, service: DataSystem) -> Fields:
    """Return the fields of the URL as strings; ``options`` is a query string such as ``sslmode=require``.

    The scheme may name a driver, as in ``postgresql+psycopg2://``, which means nothing here.

    :raises ConfigError: it is not a URL of this service.
    """
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError:
        # Its words may repeat the password.
        raise ConfigError(
            "url: cannot be read. Write / ? # @ : in user names and passwords as %2F %3F %23 %40 %3A."
        ) from None
    if service.url_scheme(parts) not in service.schemes:
        known = " or ".join(f"{known}://" for known in service.schemes)
        raise ConfigError(f"url: one of {service.name} begins with {known}.")
    found = {**service.config_of_url(url, parts), **({"port": port} if port else {})}
    return {key: value for key, value in found.items() if value and key in service.fields}


def public_options(text: str) -> str:
    """Return the options of a query string to show: ``***`` in place of secrets."""
    shown = {
        name: "***" if is_secret_option(name) or value[:1] in ("{", "[") else value
        for name, value in url_options(text).items()
    }
    return urlencode(shown, safe="*/:,")
