"""Move bytes in and out. Knows keys and bytes, nothing of artifacts, tasks or Airflow."""
