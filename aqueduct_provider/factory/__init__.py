"""Specs to Airflow DAGs."""
