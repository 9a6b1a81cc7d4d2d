"""Writes the ``<flow>_airflow.py`` of a compiled spec: of the original's shape, in words of our own."""

from __future__ import annotations

import copy
import json
from typing import Any

Json = dict[str, Any]

_HEAD = '''\
"""A flow, for Airflow."""

from datetime import datetime

from airflow import DAG
from airflow.operators.python import PythonVirtualenvOperator

VENV_REQUIREMENTS = ["aqueduct-ml"]


def execute(spec, **kwargs):
    import base64, subprocess

    subprocess.run(["python", "-m", "aqueduct_executor", base64.b64encode(spec)], check=True)


with DAG(
    dag_id={dag_id!r},
    default_args={{'retries': 0}},
    start_date=datetime(2022, 1, 1, 1),
    schedule_interval={schedule!r},
    catchup=False,
    is_paused_upon_creation=False,
    tags=['aqueduct', {version!r}],
) as dag:
    null = None
    false = False
    true = True

'''
_TASK = """\
    {variable} = PythonVirtualenvOperator(
        task_id={task_id!r},
        requirements=VENV_REQUIREMENTS,
        python_callable=execute,
        op_args=[{spec}],
    )

"""


_AWS = {
    "type": "access_key",
    "access_key_id": "",
    "secret_access_key": "",
    "region": "",
    "config_file_path": "",
    "config_file_content": "",
    "config_file_profile": "",
}
# What the original adds to a configuration: it takes that of SQLite for one of Athena.
_DEFAULTS: Json = {
    "S3": {**_AWS, "root_dir": "", "use_as_storage": ""},
    "Athena": {**_AWS, "output_location": ""},
    "SQLite": {**_AWS, "output_location": ""},
    "GCS": {"use_as_storage": ""},
}
_FILE_SYSTEMS = ("S3", "GCS")


def written_out(task: Json) -> Json:
    """A task as it is in the Python file: the original writes all defaults out, and unwraps ``conf``."""
    written = copy.deepcopy(task)
    if "storage_config" in task:
        written["storage_config"] = {"file_config": None, "gcs_config": None, **task["storage_config"]}
    if task["type"] == "function":
        written.setdefault("image", None)
    if "connector_config" in task:
        name = task["connector_name"]
        config = {"exec_state": None, **task["connector_config"].get("conf", task["connector_config"])}
        config = {**_DEFAULTS.get(name, {}), **config}
        if name == "Snowflake" and "db_schema" not in config:
            config["db_schema"] = config.pop("schema", "public")
        written["connector_config"] = config
        if task["type"] == "extract" and name not in (*_FILE_SYSTEMS, "MongoDB"):
            written["parameters"] = {"query_is_usable": False, **task["parameters"]}
    return written


def airflow_file(document: Json) -> str:
    """The Python file of a spec."""
    tasks = document["task_specs"]
    variables = {task_id: f"t{number}" for number, task_id in enumerate(tasks)}
    head = _HEAD.format(
        dag_id=document["dag_id"],
        schedule=document["cron_schedule"] or None,
        version=document["workflow_dag_id"],
    )
    body = "".join(
        _TASK.format(variable=variables[task_id], task_id=task_id, spec=json.dumps(written_out(task)))
        for task_id, task in tasks.items()
    )
    edges = "".join(
        f"    {variables[before]}.set_downstream({variables[after]})\n"
        for before, others in document["task_edges"].items()
        for after in others
    )
    return head + body + edges
