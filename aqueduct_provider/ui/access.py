"""Protect every page by Airflow's own login and permissions.

With ``compat.py`` the only module that imports Airflow: its functions for security, which differ between the
lines. Airflow does not call them a public API, so a release may move them. ``missing()`` then says so, and no
page is mounted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS, AIRFLOW_VERSION

log = logging.getLogger(__name__)

# What a page shows of a DAG, in Airflow's words: all of them must be readable.
RUN, XCOM, CODE, TASK_LOGS = "RUN", "XCOM", "CODE", "TASK_LOGS"

_THREE = {
    "get_auth_manager": "airflow.api_fastapi.app",
    "DagAccessEntity": "airflow.api_fastapi.auth.managers.models.resource_details",
    "DagDetails": "airflow.api_fastapi.auth.managers.models.resource_details",
    "get_user": "airflow.api_fastapi.core_api.security",
    "requires_access_dag": "airflow.api_fastapi.core_api.security",
}
_TWO = {
    "get_auth_manager": "airflow.www.extensions.init_auth_manager",
    "DagAccessEntity": "airflow.auth.managers.models.resource_details",
    "DagDetails": "airflow.auth.managers.models.resource_details",
    "has_access_dag": "airflow.www.auth",
    "has_access_view": "airflow.www.auth",
    "requires_access_dag": "airflow.api_connexion.security",
}
_PLACES = _THREE if AIRFLOW_V_3_0_PLUS else _TWO
_METHODS = {
    "get_auth_manager": ("get_authorized_dag_ids" if AIRFLOW_V_3_0_PLUS else "get_permitted_dag_ids",),
    "DagAccessEntity": (RUN, XCOM, CODE, TASK_LOGS),
}


def missing() -> str:
    """Return what this Airflow lacks for protecting pages, a sentence for the log; empty: nothing."""
    lacks = [name for name in _PLACES if not _is_there(name)]
    if not lacks:
        return ""
    places = ", ".join(f"{_PLACES[name]}.{name}" for name in lacks)
    return (
        f"Aqueduct's pages are off: Airflow {AIRFLOW_VERSION} lacks {places}, which would protect them. "
        "Install a release for this Airflow: pip install --upgrade airflow-provider-aqueduct."
    )


def _is_there(name: str) -> bool:
    try:
        found = _airflow(name)
        if name == "DagAccessEntity":
            return all(hasattr(found, entity) for entity in _METHODS[name])
        if name == "get_auth_manager":
            base = _PLACES["DagDetails"].replace("models.resource_details", "base_auth_manager")
            manager = import_module(base).BaseAuthManager
            return all(
                callable(getattr(manager, one, None)) for one in (*_METHODS[name], "is_authorized_dag")
            )
    except Exception as error:
        # Whatever goes wrong here: nothing would protect the pages.
        log.debug("%s is not available", name, exc_info=error)
        return False
    return callable(found)


def _airflow(name: str) -> Any:
    return getattr(import_module(_PLACES[name]), name)


# --- Airflow 3


def login_dependency() -> Callable[..., Any]:
    """Return the dependency of FastAPI that gives the user, or answers 401."""
    found: Callable[..., Any] = _airflow("get_user")
    return found


def dag_dependencies(entities: Sequence[str]) -> list[Callable[..., Any]]:
    """Return the dependencies of FastAPI that let those pass who may read these of the path's ``dag_id``.

    :param entities: what is shown of the DAG; the DAG itself must be readable, too.
    """
    guard, kinds = _airflow("requires_access_dag"), _airflow("DagAccessEntity")
    return [guard("GET"), *(guard("GET", getattr(kinds, entity)) for entity in entities)]


# --- Airflow 2.11


def guarded_view(view: Callable[..., Any], entities: Sequence[str] | None) -> Callable[..., Any]:
    """Return a view of Flask behind Airflow's login and, for pages of a DAG, its permissions.

    :param entities: as for :func:`dag_dependencies`; None: the page is not one of a DAG.
    """
    if entities is None:
        guarded: Callable[..., Any] = _airflow("has_access_view")()(view)
        return guarded
    guard, kinds = _airflow("has_access_dag"), _airflow("DagAccessEntity")
    for entity in entities:
        view = guard("GET", getattr(kinds, entity))(view)
    outermost: Callable[..., Any] = guard("GET")(view)
    return outermost


def guarded_api(view: Callable[..., Any], entities: Sequence[str] | None) -> Callable[..., Any]:
    """Return a view of Flask behind the authentication of Airflow's REST API and a DAG's permissions.

    :param entities: as for :func:`dag_dependencies`.
    """
    # A password is checked by each such guard, slowly on purpose: the other permissions need none.
    kinds = _airflow("DagAccessEntity")
    guard = _airflow("requires_access_dag")

    def allowed(dag_id: str, **names: str) -> Any:
        for entity in entities or ():
            if not may_read(dag_id, entity):
                return guard("GET", getattr(kinds, entity))(view)(dag_id=dag_id, **names)
        return view(dag_id=dag_id, **names)

    outermost: Callable[..., Any] = guard("GET")(allowed)
    return outermost


# --- both


def readable_dags(user: Any = None) -> set[str]:
    """Return the ids of the DAGs that the user may read.

    :param user: as Airflow 3 gives it; 2.11 knows whose request it is.
    """
    manager = _airflow("get_auth_manager")()
    if AIRFLOW_V_3_0_PLUS:
        return set(manager.get_authorized_dag_ids(user=user, method="GET"))
    return set(manager.get_permitted_dag_ids(methods=["GET"]))


def may_read(dag_id: str, entity: str, user: Any = None) -> bool:
    """Check whether the user may read this of a DAG.

    :param user: as for :func:`readable_dags`.
    """
    who = {"user": user} if AIRFLOW_V_3_0_PLUS else {}
    return bool(
        _airflow("get_auth_manager")().is_authorized_dag(
            method="GET",
            access_entity=getattr(_airflow("DagAccessEntity"), entity),
            details=_airflow("DagDetails")(id=dag_id),
            **who,
        )
    )


def login_page(next_url: str) -> str:
    """Return the address of Airflow 3's login page, which leads back to the page that was asked for."""
    address = urlsplit(str(_airflow("get_auth_manager")().get_url_login(next_url=next_url)))
    query = parse_qsl(address.query, keep_blank_values=True)
    if not any(name == "next" for name, _ in query):
        # Airflow 3.1's simple auth manager takes no page to lead back to, though its login reads one.
        address = address._replace(query=urlencode([*query, ("next", next_url)]))
    return address.geturl()
