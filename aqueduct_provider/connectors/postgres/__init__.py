"""PostgreSQL via ADBC."""
