"""The pages as an ASGI app that Airflow 3 mounts: requests become visits, pages become responses.

Airflow does not protect the apps of plugins: this one protects every route, through ``access.py``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aqueduct_provider.ui import access
from aqueduct_provider.ui.html import MOUNT, Page, Visit, static_file

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

    from aqueduct_provider.ui.site import Route

log = logging.getLogger(__name__)


class LazyApp:
    """The app, which is made at its first request: Airflow imports plugins in all its processes."""

    def __init__(self) -> None:
        self._made: FastAPI | None = None
        self._lock = threading.Lock()

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        made: Any = self._made or await asyncio.to_thread(self._make)
        await made(scope, receive, send)

    def _make(self) -> FastAPI:
        with self._lock:
            if self._made is None:
                self._made = make_app()
            return self._made


def make_app() -> FastAPI:
    """Return the app.

    :raises Exception: Airflow lacks what protects it; ``access.missing`` says so before.
    """
    from fastapi import FastAPI, HTTPException

    from aqueduct_provider.ui.site import ROUTES

    app = FastAPI(title="Aqueduct", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/static/{name}", lambda name: _sent(static_file(name)), methods=["GET"])
    for route in ROUTES:
        _add(app, route)
    app.add_exception_handler(HTTPException, _refused)
    return app


def _add(app: FastAPI, route: Route) -> None:
    from fastapi import Depends, Request

    from aqueduct_provider.ui.site import answer

    login = access.login_dependency()

    # Not a coroutine: it runs in a thread, for it waits for the database and for S3.
    def view(request: Request, user: Any = Depends(login)) -> Response:  # noqa: B008
        visit = replace(
            _visit(request),
            readable=lambda: access.readable_dags(user),
            may_read_values=lambda dag_id: access.may_read(dag_id, access.XCOM, user),
        )
        return _sent(answer(route, visit))

    view.__annotations__["request"] = Request
    view.__annotations__["return"] = None
    guards = [] if route.entities is None else access.dag_dependencies(route.entities)
    app.add_api_route(
        route.path,
        view,
        methods=["GET"],
        response_model=None,
        dependencies=[Depends(login), *map(Depends, guards)],
    )


def _visit(request: Request) -> Visit:
    """Return the visit of a request, by a user who may read nothing."""
    from aqueduct_provider.ui.airflow_database import AirflowDatabase

    return Visit(
        database=AirflowDatabase(),
        path=request.scope["path"].removeprefix(request.scope.get("root_path", "")),
        root=request.scope.get("root_path", MOUNT),
        names=request.path_params,
        query=dict(request.query_params),
    )


def _sent(page: Page) -> Response:
    from starlette.responses import Response

    headers = page.all_headers
    return Response(page.body, page.status, headers=headers)


async def _refused(request: Request, error: Exception) -> Response:
    """Redirect whoever opens a full page without a login to Airflow's, and show what a user lacks.

    Programs are answered as Airflow does, in JSON.
    """
    from fastapi.exception_handlers import http_exception_handler
    from starlette.exceptions import HTTPException
    from starlette.responses import RedirectResponse

    from aqueduct_provider.ui.site import refused_page

    assert isinstance(error, HTTPException)
    navigates = request.headers.get("sec-fetch-dest") == "document"
    if error.status_code == 401 and navigates and "authorization" not in request.headers:
        # Starlette's own has the path decoded, in which a name's "?" begins a query.
        path, query = quote(request.scope["path"]), request.scope["query_string"].decode()
        asked = request.url.replace(path=path, query=query, fragment="")
        return RedirectResponse(access.login_page(str(asked)), status_code=303)
    # Of the routes, those of DAGs alone refuse users who are logged in.
    if error.status_code == 403 and "text/html" in request.headers.get("accept", ""):
        return _sent(refused_page(_visit(request), request.scope["route"].path))
    return await http_exception_handler(request, error)
