"""Stage 2: spec to Airflow DAG."""
