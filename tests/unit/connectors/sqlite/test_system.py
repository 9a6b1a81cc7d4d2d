from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from aqueduct_provider.connectors.sqlite.system import SQLITE, SYSTEMS
from aqueduct_provider.connectors.system import Extra

(SYSTEM,) = SYSTEMS


@pytest.mark.parametrize(
    ("host", "schema", "extra"), [("/a", "/b", {}), (None, "/a", {}), (None, None, {"database": "/a"})]
)
def test_the_path_is_in_one_of_three_fields(
    host: str | None, schema: str | None, extra: dict[str, str]
) -> None:
    connection = SimpleNamespace(host=host, schema=schema)
    assert SYSTEM.config_of_connection(connection, Extra({}, extra, {})) == {"database": "/a"}


def test_urls() -> None:
    for url, path in (("sqlite:///a.db", "a.db"), ("sqlite:////x/a%20b", "/x/a b")):
        assert SYSTEM.config_of_url(url, urlsplit(url)) == {"database": path}


def test_decimals_are_text_and_the_original_sees_plain_values() -> None:
    assert SQLITE.decimal_column(15, 2).sql == "DECIMAL(15, 2)"
    assert SQLITE.decimal_column(16, 2).sql == "DECIMAL_TEXT(16, 2)"
    assert SQLITE.decimal_column(16, 2).fits
    assert SYSTEM.config_for_original({"options": {"mode": "ro"}}) == {
        "options": {"mode": "ro", "types": "values"}
    }
