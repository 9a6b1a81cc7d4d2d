"""A graph -> a spec, its objects in the store, and a DAG in Airflow; and back out again."""
