"""Airflow's REST API, of both lines."""
