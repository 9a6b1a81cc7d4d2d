from __future__ import annotations

from aqueduct_provider.connectors.redshift.system import REDSHIFT, SYSTEMS


def test_redshift() -> None:
    (system,) = SYSTEMS
    assert system.table_uri({"host": "h", "database": "d"}, "s.t") == "redshift://h:5439/d/s/t"
    assert [REDSHIFT.decimal_column(38, scale).fits for scale in (37, 38)] == [True, False]
    # Amazon's driver fetches tokens itself.
    assert "iam" not in system.options.refused
