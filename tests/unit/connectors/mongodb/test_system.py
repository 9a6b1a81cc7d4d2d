from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from aqueduct_provider.connectors.mongodb.system import SYSTEMS
from aqueduct_provider.connectors.system import Extra

(SYSTEM,) = SYSTEMS


@pytest.mark.parametrize(
    ("fields", "options", "uri"),
    [
        ({}, {}, "mongodb://u%40:p@h:1/"),
        ({"srv": True}, {"authSource": "admin"}, "mongodb+srv://u%40:p@h:1/?authSource=admin"),
        ({"tlsAllowInvalidCertificates": False, "tls": False}, {}, "mongodb://u%40:p@h:1/?tls=false"),
        ({}, {"readPreferenceTags": '{"dc": "ny"}'}, "mongodb://u%40:p@h:1/?readPreferenceTags=dc%3Any"),
    ],
)
def test_the_uri(fields: dict[str, Any], options: dict[str, str], uri: str) -> None:
    connection = SimpleNamespace(login="u@", password="p", host="h", port=1, schema="d")
    config = SYSTEM.config_of_connection(connection, Extra({}, fields, options))
    assert config == {"auth_uri": uri, "database": "d"}


def test_a_url_is_the_uri_and_a_collection_has_one_name() -> None:
    url = "mongodb+srv://h/my%20db"
    assert SYSTEM.config_of_url(url, urlsplit(url)) == {"auth_uri": url, "database": "my db"}
    assert SYSTEM.url_scheme(urlsplit(url)) == "mongodb+srv"
    assert SYSTEM.table_parts("a.b") == ("a.b",)
