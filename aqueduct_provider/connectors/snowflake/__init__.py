"""Snowflake via its Python connector."""
