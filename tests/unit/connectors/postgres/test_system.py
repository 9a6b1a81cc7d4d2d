from __future__ import annotations

from aqueduct_provider.connectors.postgres.system import POSTGRES, SYSTEMS


def test_postgres() -> None:
    (system,) = SYSTEMS
    assert system.dialect is POSTGRES
    assert system.table_uri({"host": "h", "database": "d"}, "t") == "postgres://h:5432/d/public/t"
    assert POSTGRES.decimal_column(76, 5).sql == "NUMERIC(76, 5)"
    assert not POSTGRES.decimal_column(77, 5).fits
    assert system.options.refused["iam"].startswith("give a password")
