"""The Airflow connection of type aqueduct."""
