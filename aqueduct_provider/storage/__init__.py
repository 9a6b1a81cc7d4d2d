"""Stage 4: bytes in, bytes out. Knows keys and bytes, nothing of artifacts, tasks or Airflow."""
