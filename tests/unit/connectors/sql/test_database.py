"""What modules of databases share."""

from __future__ import annotations

from aqueduct_provider.connectors.sql.database import shown_names


def test_tables_are_shown_as_users_write_them() -> None:
    found = [("public", "orders", True), ("other", "orders", False)]
    assert shown_names(found) == ["orders", "other.orders"]
