"""Decide which page a path is, and who may see it. Knows no web framework.

In: a visit, made of a request by ``fastapi_app.py`` or ``flask_views.py``. Out: a page, ready to be sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from aqueduct_provider.errors import AqueductError, NotFound
from aqueduct_provider.ui.access import CODE, RUN, TASK_LOGS, XCOM
from aqueduct_provider.ui.artifact_body import artifact_body
from aqueduct_provider.ui.flow_page import flow_page, spec_page
from aqueduct_provider.ui.flows_page import flows_page
from aqueduct_provider.ui.html import Page, Visit, render
from aqueduct_provider.ui.run_page import run_page
from aqueduct_provider.ui.runs_answer import error_answer, runs_answer
from aqueduct_provider.ui.task_page import newest_task_page, task_page

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Route:
    """A path below the mount, and the page that it shows.

    :param path: with names in braces, ``{name:path}`` for one that may hold slashes.
    :param entities: what must be readable of the path's ``dag_id``; None: the page is not one of a DAG.
    :param is_api: it is for programs, which log in as at Airflow's REST API and get errors as JSON.
    """

    path: str
    page: Callable[[Visit], Page]
    entities: tuple[str, ...] | None = None
    is_api: bool = False


ROUTES = (
    Route("/", flows_page),
    Route("/dags/{dag_id}", flow_page, (RUN, XCOM)),
    Route("/dags/{dag_id}/spec", spec_page, (CODE,)),
    Route("/dags/{dag_id}/runs.json", runs_answer, (RUN, XCOM), is_api=True),
    Route("/dags/{dag_id}/tasks/{task_id}", newest_task_page, (RUN, XCOM, TASK_LOGS, CODE)),
    # Ids of runs, and those of artifacts in the original's specs, may hold slashes.
    Route("/dags/{dag_id}/runs/{run_id:path}/tasks/{task_id}", task_page, (RUN, XCOM, TASK_LOGS, CODE)),
    Route("/dags/{dag_id}/runs/{run_id:path}/artifacts/{artifact_id:path}", artifact_body, (RUN, XCOM)),
    Route("/dags/{dag_id}/runs/{run_id:path}", run_page, (RUN, XCOM, TASK_LOGS)),
)


# As the page for those who may not read one names them.
_ENTITIES = {RUN: "its runs", XCOM: "its XComs", CODE: "its code", TASK_LOGS: "the logs of its tasks"}


def answer(route: Route, visit: Visit) -> Page:
    """Return the page of a visit; where it cannot be made, one that says why."""
    try:
        return route.page(visit)
    except NotFound as error:
        return _error_page(route, visit, 404, "Not found", visit.reads.problem(error))
    except AqueductError as error:
        return _error_page(route, visit, 502, "This page cannot be shown", visit.reads.problem(error))
    except Exception:
        # The reason may hold what is not for readers.
        log.exception("Aqueduct's page %s failed", visit.path)
        why = "The reason is in the log of Airflow's API server."
        return _error_page(route, visit, 500, "This page cannot be shown", why)


def refused_page(visit: Visit, path: str) -> Page:
    """Return what users see who may not read a page: which permissions they need, and from whom.

    :param path: of the route. The page is the same whether its DAG is there or not.
    """
    route = next(one for one in ROUTES if one.path == path)
    parts = ["the DAG itself", *(_ENTITIES[entity] for entity in route.entities or ())]
    needed = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    reason = (
        f"This page needs permission to read, of the DAG {visit.dag_id!r}: {needed}. Your user lacks one of "
        "these. Ask an administrator of Airflow for it."
    )
    return _error_page(route, visit, 403, "You may not read this page", reason)


def _error_page(route: Route, visit: Visit, status: int, title: str, reason: str) -> Page:
    if route.is_api:
        return error_answer(status, reason)
    return render(visit, "error.html", status=status, title=title, reason=reason)
