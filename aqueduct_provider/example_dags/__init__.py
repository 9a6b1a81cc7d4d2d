"""Examples for registries of Airflow providers, and for copying into a DAG folder."""
