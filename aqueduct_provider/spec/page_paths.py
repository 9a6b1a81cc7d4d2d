"""Make the paths of a flow's pages, below the address of Airflow's UI (pure)."""

from __future__ import annotations

from urllib.parse import quote

# Where Airflow mounts the pages.
MOUNT = "/aqueduct"


def page_path(dag_id: str = "", run_id: str = "", task_id: str = "") -> str:
    """Return the path of the page of all flows, of one, of one of its runs, or of a task of that.

    :param run_id: empty, with a task: its page in the newest run.
    """
    parts = [(kind, name) for kind, name in (("dags", dag_id), ("runs", run_id), ("tasks", task_id)) if name]
    return f"{MOUNT}/" + "/".join(f"{kind}/{quote(name, safe='')}" for kind, name in parts)
