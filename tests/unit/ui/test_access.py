from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS
from aqueduct_provider.ui import access

# Airflow 2.11's webserver imports what its libraries deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_this_airflow_lacks_nothing() -> None:
    assert access.missing() == ""


@pytest.mark.parametrize("name", sorted(access._PLACES))
def test_a_name_that_has_moved_is_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(access, "_PLACES", {**access._PLACES, name: "airflow.moved_elsewhere"})
    reason = access.missing()
    assert f"airflow.moved_elsewhere.{name}" in reason
    assert "pip install --upgrade airflow-provider-aqueduct" in reason


@pytest.mark.parametrize("name", ["DagAccessEntity", "get_auth_manager"])
def test_a_name_within_that_has_gone_is_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(access, "_METHODS", {**access._METHODS, name: ("RENAMED",)})
    assert access._PLACES[name] in access.missing()


@pytest.mark.skipif(not AIRFLOW_V_3_0_PLUS, reason="for FastAPI")
def test_a_page_of_a_dag_asks_for_the_dag_and_for_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    import airflow.api_fastapi.core_api.security as security

    monkeypatch.setattr(security, "requires_access_dag", lambda *arguments: asked.append(arguments))
    assert len(access.dag_dependencies((access.RUN, access.XCOM))) == 3
    assert [(method, *(kind.name for kind in kinds)) for method, *kinds in asked] == [
        ("GET",),
        ("GET", "RUN"),
        ("GET", "XCOM"),
    ]


class Manager:
    """An auth manager of Airflow 3 whose login is at this address, whatever it is asked."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get_url_login(self, **_: Any) -> str:
        return self.address


BACK = "https://air.example/aqueduct/dags/a%3Fb?runs=5&before=x"
LED_BACK = "next=https%3A%2F%2Fair.example%2Faqueduct%2Fdags%2Fa%253Fb%3Fruns%3D5%26before%3Dx"


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        # As the simple auth manager of 3.1 answers, with a query of its own, and as that of 3.3.
        ("/auth/login", f"/auth/login?{LED_BACK}"),
        ("https://sso.example/login?team=a", f"https://sso.example/login?team=a&{LED_BACK}"),
        (f"/auth/login?{LED_BACK}", f"/auth/login?{LED_BACK}"),
    ],
)
def test_the_login_leads_back_also_where_the_auth_manager_does_not_say_so(
    address: str, leads_to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_airflow", lambda _name: lambda: Manager(address))
    assert access.login_page(BACK) == leads_to
