"""What is to be run. JSON text in, one frozen ``WorkflowSpec`` out; imports no Airflow."""
