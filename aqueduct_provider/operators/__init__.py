"""The Airflow operator."""
