"""``make demo``: the script of the README on a real Airflow and a real S3 server, on this machine."""
