from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS
from aqueduct_provider.ui import access, airflow_database
from tests.support.airflow_rows import AirflowRows

if AIRFLOW_V_3_0_PLUS:
    pytest.skip("Airflow 3 mounts apps", allow_module_level=True)


# Airflow 2.11's webserver imports what its libraries deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def client(rows: AirflowRows, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the views for a user who may see everything."""
    from flask import Flask

    from aqueduct_provider.ui.flask_views import make_blueprint

    monkeypatch.setattr(airflow_database, "AirflowDatabase", lambda: rows.database)
    for name in ("guarded_view", "guarded_api"):
        monkeypatch.setattr(access, name, lambda view, _entities: view)
    monkeypatch.setattr(access, "readable_dags", lambda: {"churn"})
    app = Flask("above")
    app.register_blueprint(make_blueprint())
    return app.test_client()


def test_paths_of_flask() -> None:
    from aqueduct_provider.ui.flask_views import rule_of

    assert rule_of("/dags/{dag_id}/x/{name:path}") == "/dags/<dag_id>/x/<path:name>"


def test_pages(client: Any, rows: AirflowRows) -> None:
    rows.dag("churn", {}, name="Churn")
    answer = client.get("/aqueduct/", environ_overrides={"SCRIPT_NAME": "/team"})
    assert answer.status_code == 200
    assert 'href="/team/aqueduct/dags/churn"' in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "not a flow" in client.get("/aqueduct/dags/churn").text
    assert client.post("/aqueduct/").status_code == 405


def test_static_files(client: Any) -> None:
    assert client.get("/aqueduct/static/page.js").status_code == 200
    assert client.get("/aqueduct/static/plugin.py").status_code == 404


@pytest.mark.parametrize("entities", [None, ("RUN",)])
def test_every_view_is_guarded(monkeypatch: pytest.MonkeyPatch, entities: Any) -> None:
    import airflow.www.auth as auth
    from flask import Flask

    calls: list[Any] = []

    def refused(*_: Any, **options: Any) -> str:
        calls.append(options)
        return "refused"

    monkeypatch.setattr(auth, "_has_access", refused)
    monkeypatch.setattr(auth, "get_auth_manager", lambda: _Manager())
    view = access.guarded_view(lambda **_: "shown", entities)
    with Flask("above").test_request_context("/"):
        assert (view(dag_id="churn") if entities else view()) == "refused"
    assert len(calls) == 1


@pytest.mark.parametrize("refused", ["", "DAG", "RUN", "XCOM"])
def test_a_route_for_programs_takes_the_login_of_the_rest_api(
    monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    import airflow.api_connexion.security as security
    from airflow.api_connexion.exceptions import PermissionDenied, Unauthenticated
    from flask import Flask

    logins: list[None] = []

    class Manager:
        def is_authorized_dag(self, *, access_entity: Any = None, details: Any, **_: Any) -> bool:
            assert details.id == "churn"
            return (access_entity.name if access_entity else "DAG") != refused

    monkeypatch.setattr(security, "check_authentication", lambda: logins.append(None))
    monkeypatch.setattr(security, "get_auth_manager", Manager)
    monkeypatch.setattr("airflow.www.extensions.init_auth_manager.get_auth_manager", Manager)
    view = access.guarded_api(lambda **names: names, (access.RUN, access.XCOM))
    with Flask("above").test_request_context("/"):
        if refused:
            with pytest.raises(PermissionDenied):
                view(dag_id="churn")
        else:
            assert view(dag_id="churn") == {"dag_id": "churn"}
            # A password is checked slowly: once is enough.
            assert len(logins) == 1

        def fail() -> None:
            raise Unauthenticated(headers={})

        monkeypatch.setattr(security, "check_authentication", fail)
        with pytest.raises(Unauthenticated):
            view(dag_id="churn")


class _Manager:
    def is_authorized_dag(self, **_: Any) -> bool:
        return False

    def is_authorized_view(self, **_: Any) -> bool:
        return False
