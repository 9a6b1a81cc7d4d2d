"""Stage 3: the Airflow operator."""
