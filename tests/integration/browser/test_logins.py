"""Who sees the pages in a browser, by Airflow's own auth managers: FAB on 2.11, the simple one on 3."""

from __future__ import annotations

import pytest

from tests.integration.browser.conftest import Shown
from tests.integration.client import AirflowClient
from tests.integration.stack import MAJOR, AirflowStack
from tests.support.browser import Browser


@pytest.mark.parametrize("name", ["flows", "run"])
def test_nobody_is_led_to_the_login_and_back(
    name: str, shown: Shown, browser: Browser, airflow: AirflowStack
) -> None:
    with browser.tab({}) as tab:
        page = tab.open(shown.pages()[name])
        assert "/login" in page.url
        assert "score" not in page.content()
        page.fill("input[name=username]", airflow.login.user)
        page.fill("input[name=password]", airflow.login.password)
        page.press("input[name=password]", "Enter")
        page.wait_for_selector("nav.crumbs")
        assert "/aqueduct/" in page.url
        assert "score" in page.inner_text("main")


@pytest.mark.skipif(MAJOR == 2, reason="roles of Airflow 2.11 are below")
def test_a_viewer_sees_pages_and_tabs(shown: Shown, browser: Browser, viewer: AirflowClient) -> None:
    with browser.tab(viewer.cookies()) as tab:
        tab.open(f"/dags/{shown.dag_id}").click("a[href$='/plugin/aqueduct-flow']")
        assert "score" in tab.frame().inner_text("main")
        assert "6.75" in tab.open(shown.pages()["run"]).inner_text("main")


@pytest.mark.skipif(MAJOR == 3, reason="test_roles.py has the roles of Airflow 3")
@pytest.mark.parametrize(("role", "sees"), [("Viewer", True), ("Public", False)])
def test_a_role_sees_what_it_may_read(
    role: str, sees: bool, shown: Shown, browser: Browser, airflow: AirflowStack
) -> None:
    user = airflow.client.user_with_roles(role)
    with browser.tab(user.cookies()) as tab:
        for name, address in {**shown.pages(), "body": shown.body("settings")}.items():
            answer = tab.page.request.get(tab.url + address)
            is_there = answer.status == 200 and answer.url.endswith(address)
            assert is_there is sees, name
    user.close()
