"""The pages of Airflow's UI about a run, as a browser gets them.

Airflow 2.11 makes its pages itself; those of Airflow 3 are made in the browser, of the answers of ``/ui`` and
of the REST API, which tests look at anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

from tests.integration.client import AirflowClient


def pages(client: AirflowClient, dag_id: str, run_id: str, tasks: Iterable[str]) -> dict[str, str]:
    """Address -> text of every page about a run and its tasks; each must be there."""
    if client.major == 3:
        addresses = [
            f"/dags/{dag_id}/runs/{quote(run_id, safe='')}",
            f"/ui/structure/structure_data?dag_id={dag_id}",
            f"/ui/grid/runs/{dag_id}",
            f"/ui/grid/structure/{dag_id}",
        ]
    else:
        addresses = _two(client, dag_id, run_id, tasks)
    return {address: client.page(address) for address in addresses}


def _two(client: AirflowClient, dag_id: str, run_id: str, tasks: Iterable[str]) -> list[str]:
    date = client.run(dag_id, run_id)["logical_date"]
    addresses = [f"/dags/{dag_id}/{name}" for name in ("grid", "details")]
    for task in tasks:
        query = urlencode({"dag_id": dag_id, "task_id": task, "execution_date": date, "map_index": -1})
        addresses += [f"/{name}?{query}" for name in ("rendered-templates", "task", "log", "xcom")]
    return addresses
