"""Run again what has run: replay one operator here, and resume a failed run on Airflow."""
