"""Flows and runs as they are now, from Airflow and the artifact store."""
