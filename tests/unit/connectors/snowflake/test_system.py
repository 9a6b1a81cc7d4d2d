from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import urlsplit

from aqueduct_provider.connectors.snowflake.system import SNOWFLAKE, SYSTEMS
from aqueduct_provider.connectors.system import Extra

(SYSTEM,) = SYSTEMS


def test_names_are_quoted_as_they_are_stored() -> None:
    assert SNOWFLAKE.render_name(("db.s", "Mixed")) == '"DB"."S"."Mixed"'


def test_a_host_is_the_account_or_an_address() -> None:
    connection = SimpleNamespace(login="u", password="p", host="h", schema=None, port=8)
    alone = SYSTEM.config_of_connection(connection, Extra({}, {}, {}))
    assert (alone["account_identifier"], alone["schema"], alone.get("options")) == ("h", "public", None)
    both = SYSTEM.config_of_connection(connection, Extra({}, {"account_identifier": "Acc"}, {}))
    assert (both["account_identifier"], both["options"]) == ("Acc", {"host": "h", "port": "8"})


def test_urls_keep_the_case_of_accounts() -> None:
    url = "snowflake://u:p@Acc/d/s?warehouse=w&x=1"
    fields = SYSTEM.config_of_url(url, urlsplit(url))
    assert (fields["account_identifier"], fields["warehouse"], fields["options"]) == ("Acc", "w", "x=1")


def test_tables_and_the_originals_schema() -> None:
    config = SYSTEM.config_of_original({"db_schema": "s", "database": "d", "account_identifier": "a"})
    assert SYSTEM.table_uri(config, "t") == "snowflake://a/d/s/t"
    assert SYSTEM.table_uri(config, "x.t") == "snowflake://a/d/x/t"
