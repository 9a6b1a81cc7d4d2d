"""A spec, run here without Airflow."""
