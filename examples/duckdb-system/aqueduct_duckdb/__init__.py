"""DuckDB files as a data system of Aqueduct on Airflow."""
