"""The values that all connectors are given."""

from __future__ import annotations

import pytest

from aqueduct_provider.connectors.mysql.system import MYSQL
from aqueduct_provider.connectors.postgres.system import POSTGRES
from aqueduct_provider.connectors.tables.model import TableLoad, TableName, config_text


def test_a_table_is_named_with_or_without_its_schema() -> None:
    assert (str(TableName("s", "t")), TableName("s", "t").parts) == ("s.t", ("s", "t"))
    assert (str(TableName("", "t")), TableName("", "t").parts) == ("t", ("t",))


def test_tries_of_one_load_share_their_staging_table_and_no_others_do() -> None:
    def staging(key: str, run: str = "run") -> str:
        return TableLoad(TableName("", "t"), "append", key, "d", run).staging

    one, two = "a" * 64, "b" * 64
    assert staging(one, "try 1") == staging(one, "try 2") != staging(two)
    assert len(f"{staging(one)}_old") <= min(MYSQL.max_name, POSTGRES.max_name)
    assert staging(one).isidentifier()


@pytest.mark.parametrize(
    ("value", "text"), [("5433", "5433"), (5433, "5433"), (None, "5432"), ("", "5432"), (0, "0")]
)
def test_fields_are_texts(value: object, text: str) -> None:
    assert config_text({"port": value}, "port", "5432") == text
    assert config_text({}, "port", "5432") == "5432"
    assert config_text({}, "port") == ""
