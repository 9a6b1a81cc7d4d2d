from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS
from aqueduct_provider.ui import access, airflow_database
from aqueduct_provider.ui.artifact_body import UNCOMPRESSED
from aqueduct_provider.ui.html import Page
from aqueduct_provider.ui.site import ROUTES
from tests.support.airflow_rows import AirflowRows

if not AIRFLOW_V_3_0_PLUS:
    pytest.skip("Airflow 2.11 has no FastAPI", allow_module_level=True)

# What browsers ask for.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def client(rows: AirflowRows, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the app, mounted as Airflow mounts it."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from aqueduct_provider.ui.fastapi_app import LazyApp

    monkeypatch.setattr(airflow_database, "AirflowDatabase", lambda: rows.database)
    above = FastAPI(root_path="/team")
    app = LazyApp()
    above.mount("/aqueduct", app)
    with TestClient(above) as made:
        made.app_below = app
        yield made


def path_of(route: Any) -> str:
    return (
        f"/team/aqueduct{route.path.replace('{dag_id}', 'churn')}".replace("{", "")
        .replace(":path}", "")
        .replace("}", "")
    )


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_without_a_login_nothing_is_shown(client: Any, route: Any) -> None:
    assert client.get(path_of(route)).status_code == 401
    # Airflow's own answer to a credential that is not one.
    assert client.get(path_of(route), headers={"Authorization": "Basic eDp5"}).status_code == 401


class _Manager:
    """Refuses one thing that users may read of DAGs; without a name the DAG itself."""

    def __init__(self, refused: str) -> None:
        self.refused = refused

    def is_authorized_dag(self, *, access_entity: Any = None, **_: Any) -> bool:
        return (access_entity.name if access_entity else "") != self.refused


@pytest.mark.parametrize("route", [route for route in ROUTES if route.entities], ids=lambda route: route.path)
def test_a_user_without_one_of_the_permissions_is_refused(
    client: Any, route: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi.core_api import security

    # Asks Airflow's own database; releases before 3.2 have no teams.
    monkeypatch.setattr(security, "DagModel", SimpleNamespace(get_team_name=lambda _: None), raising=False)
    client.get(path_of(route))
    client.app_below._made.dependency_overrides[access.login_dependency()] = lambda: "ada"
    for refused in ("", *route.entities):
        manager = _Manager(refused)
        monkeypatch.setattr(security, "get_auth_manager", lambda manager=manager: manager)
        answer = client.get(path_of(route))
        # A program gets Airflow's own answer, a browser a page.
        assert (answer.status_code, answer.json()) == (403, {"detail": "Forbidden"}), refused
        page = client.get(path_of(route), headers=BROWSER)
        kind = "application/json" if route.is_api else "text/html; charset=utf-8"
        assert (page.status_code, page.headers["content-type"]) == (403, kind)
        assert "of the DAG 'churn': the DAG itself" in page.text.replace("&#39;", "'")
        assert "Ask an administrator" in page.text
    monkeypatch.setattr(security, "get_auth_manager", lambda: _Manager("nothing"))
    # Of a DAG that is not there: some pages say so in a friendly line.
    assert client.get(path_of(route)).status_code in (200, 404)


def test_a_browser_sees_which_permissions_a_page_needs(
    client: Any, rows: AirflowRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi.core_api import security

    monkeypatch.setattr(security, "DagModel", SimpleNamespace(get_team_name=lambda _: None), raising=False)
    monkeypatch.setattr(security, "get_auth_manager", lambda: _Manager("TASK_LOGS"))
    rows.dag("churn", {})
    client.get("/team/aqueduct/")
    client.app_below._made.dependency_overrides[access.login_dependency()] = lambda: "ada"
    answers = [
        client.get(f"/team/aqueduct/dags/{dag_id}/runs/a%3Cb%2Fc?frame=1", headers=BROWSER)
        for dag_id in ("churn", "absent")
    ]
    assert "the DAG itself, its runs, its XComs and the logs of its tasks. Your user" in answers[0].text
    assert 'href="/team/aqueduct/?frame=1"' in answers[0].text
    assert "script-src 'self'" in answers[0].headers["content-security-policy"]
    # It does not say whether a DAG is there.
    assert answers[0].text.replace("churn", "absent") == answers[1].text


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_changed(client: Any, route: Any, method: str) -> None:
    assert client.request(method, path_of(route)).status_code == 405


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/nothing", "/static/../plugin.py"])
def test_there_is_nothing_else(client: Any, path: str) -> None:
    assert client.get(f"/team/aqueduct{path}").status_code in (401, 404)


def test_our_stylesheet_needs_no_login(client: Any) -> None:
    answer = client.get("/team/aqueduct/static/page.css")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert client.get("/team/aqueduct/static/plugin.py").status_code == 404


def test_artifacts_are_not_compressed_while_others_wait() -> None:
    from fastapi import FastAPI
    from fastapi.middleware.gzip import GZipMiddleware
    from fastapi.testclient import TestClient

    from aqueduct_provider.ui.fastapi_app import _sent

    app = FastAPI()
    # As Airflow does.
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    pages = {"plain": Page(body=bytes(10_000)), "artifact": Page(body=bytes(10_000), headers=UNCOMPRESSED)}
    for name, page in pages.items():
        app.add_api_route(f"/{name}", lambda page=page: _sent(page), methods=["GET"])
    with TestClient(app) as client:
        answers = {name: client.get(f"/{name}", headers={"Accept-Encoding": "gzip"}) for name in pages}
    assert answers["plain"].headers["content-encoding"] == "gzip"
    assert answers["artifact"].headers["content-encoding"] == "identity"
    assert answers["artifact"].headers["content-length"] == "10000"
    assert answers["artifact"].content == bytes(10_000)


def test_a_browser_is_led_to_the_login(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "login_page", lambda url: f"/auth/login?next={url}")
    headers = {"Sec-Fetch-Dest": "document"}
    answer = client.get("/team/aqueduct/", headers=headers, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"][:17]) == (303, "/auth/login?next=")
    framed = client.get("/team/aqueduct/", headers={"Sec-Fetch-Dest": "iframe"}, follow_redirects=False)
    assert framed.status_code == 401


def test_the_login_leads_back_to_the_very_page(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "login_page", lambda url: f"/auth/login?{urlencode({'next': url})}")
    asked = "/team/aqueduct/dags/churn/runs/what%3F%20100%25%20%23%2B1?other=a%26b"
    answer = client.get(asked, headers={"Sec-Fetch-Dest": "document"}, follow_redirects=False)
    (led_to,) = parse_qs(urlsplit(answer.headers["location"]).query)["next"]
    assert led_to == f"http://testserver{asked}"


def test_a_user_sees_what_may_be_read(
    client: Any, rows: AirflowRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.dag("churn", {}, name="Churn")
    rows.dag("secret", {}, name="Secret")
    monkeypatch.setattr(access, "readable_dags", lambda user: {"churn"} if user == "ada" else set())
    monkeypatch.setattr(access, "may_read", lambda _dag_id, _entity, user: user == "ada")
    login = access.login_dependency()
    assert client.get("/team/aqueduct/").status_code == 401
    client.app_below._made.dependency_overrides[login] = lambda: "ada"
    answer = client.get("/team/aqueduct/")
    assert answer.status_code == 200
    assert "Churn" in answer.text
    assert "Secret" not in answer.text
    # Below Airflow's prefix.
    assert 'href="/team/aqueduct/dags/churn"' in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
