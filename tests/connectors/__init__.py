"""The same scenarios on every database that runs here: PostgreSQL, MariaDB, SQLite."""
