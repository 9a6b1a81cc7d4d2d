"""MySQL and MariaDB via PyMySQL."""
