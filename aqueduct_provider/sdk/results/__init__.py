"""Results of runs, verified, from Airflow and the artifact store."""
