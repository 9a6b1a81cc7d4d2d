from aqueduct_provider import DagFactory  # airflow: shows every Aqueduct spec of this folder as a DAG

globals().update(DagFactory.dags_in(__file__))
