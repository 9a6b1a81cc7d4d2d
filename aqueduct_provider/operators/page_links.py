"""Lead from Airflow's own pages to those of a flow: for roles that see no tabs of plugins, too.

Links are paths on the host of Airflow's UI, with the prefix of its ``base_url``: they work by whatever name a
user reaches it. Airflow 3 computes a task's link in the task's process when it ends, 2.11 in its webserver.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from aqueduct_provider import config
from aqueduct_provider.compat import AIRFLOW_HAS_PAGES, BaseOperatorLink
from aqueduct_provider.spec import page_paths


def has_pages() -> bool:
    """Check whether this Airflow shows the pages.

    :raises ConfigError: the option cannot be used.
    """
    return AIRFLOW_HAS_PAGES and config.pages()


def page_path(dag_id: str, run_id: str = "", task_id: str = "") -> str:
    """Return the path of a page with the prefix of Airflow's address; see ``spec/page_paths.py``."""
    return f"{page_prefix()}{page_paths.page_path(dag_id, run_id, task_id)}"


def page_prefix() -> str:
    """Return the prefix of Airflow's address, before the path of every page; mostly empty."""
    return urlsplit(config.base_url()).path.rstrip("/")


class ArtifactsLink(BaseOperatorLink):
    """The button "Artifacts" of a task: its page, or, of a task without operators, that of the run."""

    name = "Artifacts"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the path of the page.

        :param operator: the task, as the DAG file or as the serialized DAG has it.
        :param ti_key: names DAG, run and task.
        """
        task_id = ti_key.task_id if getattr(operator, "aqueduct", "") else ""
        return page_path(ti_key.dag_id, ti_key.run_id, task_id)
