"""The pages as views of Airflow 2.11's webserver: requests become visits, pages become responses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from aqueduct_provider.ui import access
from aqueduct_provider.ui.html import MOUNT, Page, Visit, static_file
from aqueduct_provider.ui.site import ROUTES, Route, answer


def make_blueprint() -> Any:
    """Return the blueprint, every view of which is protected but the stylesheet and the script."""
    from flask import Blueprint

    made = Blueprint("aqueduct", __name__, url_prefix=MOUNT)
    made.add_url_rule("/static/<name>", "static_file", lambda name: _sent(static_file(name)), methods=["GET"])
    for place, route in enumerate(ROUTES):
        guarded = access.guarded_api if route.is_api else access.guarded_view
        view = guarded(_view_of(route), route.entities)
        made.add_url_rule(rule_of(route.path), f"page_{place}", view, methods=["GET"])
    return made


def rule_of(path: str) -> str:
    """Return a route's path as Flask writes it, with ``<name>`` or ``<path:name>``."""
    return re.sub(r"{(\w+)(?::(path))?}", lambda found: f"<{'path:' if found[2] else ''}{found[1]}>", path)


def _view_of(route: Route) -> Callable[..., Any]:
    from flask import request

    from aqueduct_provider.ui.airflow_database import AirflowDatabase

    def view(**names: str) -> Any:
        visit = Visit(
            database=AirflowDatabase(),
            path=request.path.removeprefix(MOUNT),
            root=f"{request.script_root}{MOUNT}",
            names=names,
            query=request.args.to_dict(),
            readable=access.readable_dags,
            may_read_values=lambda dag_id: access.may_read(dag_id, access.XCOM),
        )
        return _sent(answer(route, visit))

    return view


def _sent(page: Page) -> Any:
    from flask import Response

    return Response(page.body, page.status, headers=page.all_headers)
