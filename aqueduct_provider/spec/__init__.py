"""Read specs: JSON text in, one frozen ``WorkflowSpec`` out. Imports no Airflow."""
