"""Pages inside Airflow: flows, their runs and artifacts, with Airflow's own permissions.

In: Airflow's database, the artifact store. Out: HTML, made on the server. Only Airflow's API server (on 2.11:
its webserver) loads any of it.
"""
