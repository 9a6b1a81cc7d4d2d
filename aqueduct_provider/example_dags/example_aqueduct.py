"""Show every Aqueduct spec of this folder as a DAG of Airflow.

The specs are two small flows on the demo database: ``example_aqueduct_query.json`` reads the customers of one
size of company, a parameter of the run, and ``example_aqueduct_summary.json`` writes a table of averages. To
run them, add the connections ``aqueduct_default`` (a bucket) and ``aqueduct_demo`` (``aqueduct-airflow
demo-db`` prints the command).
"""

from __future__ import annotations

from aqueduct_provider import DagFactory  # Airflow opens only files that contain the words airflow and dag.

globals().update(DagFactory.dags_in(__file__))
