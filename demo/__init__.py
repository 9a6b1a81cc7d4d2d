"""``make demo``: a small machine-learning flow on a real Airflow and a real S3 server, on this machine."""
