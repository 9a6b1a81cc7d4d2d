"""FAB's roles on Airflow 3, behind a prefix: who sees which page, and whether every link of it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urldefrag

import httpx
import pytest

from tests.integration import shown_flow
from tests.integration.browser.conftest import Shown
from tests.integration.client import AirflowClient
from tests.integration.fab_server import PREFIX, FabServer
from tests.integration.stack import MAJOR
from tests.support.browser import Browser, Tab

pytestmark = pytest.mark.skipif(MAJOR == 2, reason="test_logins.py has the roles of Airflow 2.11")

TAB = "a[href$='/plugin/aqueduct-flow']"
# All that a page leads to or loads, as the browser resolves it.
_ADDRESSES = """
() => ["href", "src", "action", "data-link", "data-here"].flatMap((name) =>
  [...document.querySelectorAll(`[${name}]`)].map((one) => one.getAttribute(name))
).map((one) => new URL(one, location.href).href)
"""


@contextmanager
def opened(browser: Browser, fab: FabServer, user: AirflowClient | None) -> Iterator[Tab]:
    """Open a tab of this server."""
    with replace(browser, url=fab.login.url).tab(user.cookies() if user else {}) as tab:
        yield tab


def addresses(shown: Shown) -> dict[str, str]:
    """Return every address that shows something of the run's flow, but not the list of all flows."""
    pages = {name: address for name, address in shown.pages().items() if name != "flows"}
    return {**pages, **{name: shown.body(name) for name in ("settings", "report", "picture")}}


def statuses(user: AirflowClient, shown: Shown) -> set[int]:
    """Return the statuses of all of these addresses."""
    return {user.status(address) for address in addresses(shown).values()}


def test_an_admin_sees_pages_and_tabs(fab: FabServer, shown: Shown, browser: Browser) -> None:
    assert statuses(fab.client, shown) == {200}
    with opened(browser, fab, fab.client) as tab:
        page = tab.open(f"/dags/{shown.dag_id}")
        page.click(TAB)
        frame = tab.frame()
        assert "6.75" in frame.content()
        frame.click("a[data-out]")
        page.wait_for_url(f"**{PREFIX}/dags/{shown.dag_id}")
        tab.assert_calm()
    assert fab.outside == []


@pytest.mark.parametrize("has_tabs", [True, False])
def test_a_viewer_sees_tabs_with_a_permission_and_pages_without_it(
    has_tabs: bool, fab: FabServer, shown: Shown, browser: Browser
) -> None:
    more = [fab.client.new_role({"can_read": ["Plugins"]})] if has_tabs else []
    viewer = fab.client.user_with_roles("Viewer", *more)
    assert statuses(viewer, shown) == {200}
    assert "6.75" in viewer.page("/aqueduct/")
    with opened(browser, fab, viewer) as tab:
        page = tab.open(f"/dags/{shown.dag_id}")
        # A tab of Airflow's own, beside which ours would be.
        page.wait_for_selector("a[href$='/runs']")
        page.wait_for_load_state("networkidle")
        assert page.locator(TAB).count() == has_tabs
        assert "6.75" in tab.open(shown.pages()["run"]).inner_text("main")
    viewer.close()


def test_a_user_of_one_dag_sees_nothing_of_another(fab: FabServer, shown: Shown) -> None:
    reader = fab.client.user_who_may_read(shown.open_dag_id)
    listed = reader.page("/aqueduct/")
    assert "open to its reader" in listed
    assert shown.dag_id not in listed
    assert "6.75" not in listed
    own = shown_flow.flow_page(shown.open_dag_id)
    assert [reader.status(address) for address in (own, f"{own}/spec")] == [200, 200]
    assert statuses(reader, shown) == {403}
    # The other way round, so that it is the DAG that decides.
    other = fab.client.user_who_may_read(shown.dag_id)
    assert statuses(other, shown) == {200}
    assert other.status(own) == 403
    for user in (reader, other):
        user.close()


def test_a_user_of_nothing_sees_nothing(fab: FabServer, shown: Shown) -> None:
    user = fab.client.user_with_roles("Public")
    listed = user.page("/aqueduct/")
    assert shown.dag_id not in listed
    assert shown.open_dag_id not in listed
    assert statuses(user, shown) == {403}
    user.close()


def test_nobody_sees_nothing(fab: FabServer, shown: Shown) -> None:
    with httpx.Client(timeout=60) as nobody:
        for address in ("/aqueduct/", *addresses(shown).values()):
            answer = nobody.get(f"{fab.login.url}{address}")
            assert answer.status_code == 401, address
            assert "6.75" not in answer.text


def test_nobody_is_led_to_the_login_and_back(fab: FabServer, shown: Shown, browser: Browser) -> None:
    with opened(browser, fab, None) as tab:
        page = tab.open(shown.pages()["run"])
        assert "/login" in page.url
        page.fill("input[name=username]", fab.login.user)
        page.fill("input[name=password]", fab.login.password)
        page.press("input[name=password]", "Enter")
        page.wait_for_selector("nav.crumbs")
        assert page.url == fab.login.url + shown.pages()["run"]
    assert fab.outside == []


def test_every_link_and_file_of_every_page_answers_below_the_prefix(
    fab: FabServer, shown: Shown, browser: Browser
) -> None:
    with opened(browser, fab, fab.client) as tab:
        found: set[str] = set()
        for address in shown.pages().values():
            for framed in ("", "?frame=1"):
                linked = tab.open(address + framed).evaluate(_ADDRESSES)
                found |= {urldefrag(one).url for one in linked if not one.startswith("data:")}
        assert [one for one in found if not one.startswith(f"{fab.login.url}/")] == []
        ours = {one for one in found if one.startswith(f"{fab.login.url}/aqueduct/")}
        # What is not ours is Airflow's own pages.
        for kind in ("/static/page.css", "/static/page.js", "/spec", "/artifacts/", "/tasks/", "/runs/"):
            assert [one for one in ours if kind in one], kind
        assert found - ours
        for one in sorted(found):
            answer = tab.page.request.get(one)
            assert answer.status == 200, one
            # Airflow's UI answers, too, where there is nothing.
            assert one not in ours or "content-security-policy" in answer.headers, one
    assert fab.outside == []
