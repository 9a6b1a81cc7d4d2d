from __future__ import annotations

from aqueduct_provider.connectors.bigquery.system import BIGQUERY, SYSTEMS


def test_decimals() -> None:
    found = [BIGQUERY.decimal_column(*digits) for digits in ((38, 9), (39, 9), (76, 38), (77, 38), (50, 39))]
    assert [column.sql for column in found[:3]] == ["NUMERIC", "BIGNUMERIC", "BIGNUMERIC"]
    assert [column.fits for column in found] == [True, True, True, False, False]


def test_tables_have_a_dataset() -> None:
    (system,) = SYSTEMS
    assert system.table_uri({"project_id": "p"}, "d.t") == "bigquery://p/d/t"
    assert system.table_uri({"project_id": "p"}, "t") is None
