"""Airflow's REST API, both lines."""
