"""The pages inside Airflow's UI: within two clicks, in its theme, by keyboard."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Frame

from tests.integration.browser.conftest import Shown
from tests.integration.stack import MAJOR
from tests.support.accessibility import violations
from tests.support.browser import Tab

THREE = pytest.mark.skipif(MAJOR == 2, reason="Airflow 2.11 has no tabs of plugins")

# All that can be clicked, numbered as it is read.
_NUMBER_DOORS = """
() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")]
  .filter((one) => one.checkVisibility())
  .map((one, place) => { one.dataset.place = place; return place; })
"""


@THREE
def test_from_the_home_page_all_flows_and_one_flow_are_two_clicks_away(admin: Tab, shown: Shown) -> None:
    page = admin.open("/")
    page.click("a[href='/plugin/aqueduct']")
    flows = admin.frame()
    assert "score" in flows.inner_text("main")
    assert violations(flows) == []
    flows.click(f"a[href*='/dags/{shown.dag_id}']")
    flows.wait_for_selector("svg.chart")
    assert "6.75" in flows.content()
    admin.assert_calm()


@THREE
def test_from_the_page_of_a_dag_its_history_and_its_run_are_two_clicks_away(admin: Tab, shown: Shown) -> None:
    page = admin.open(f"/dags/{shown.dag_id}")
    page.click("a[href$='/plugin/aqueduct-flow']")
    flow = admin.frame()
    assert "Metrics" in flow.locator("h2").all_inner_texts()
    flow.click(".facts a[href*='/runs/']")
    flow.wait_for_selector(".cards")
    text = flow.inner_text("main")
    for seen in ("6.75", "warning", "rows", "picture", "settings"):
        assert seen in text, seen
    assert (
        flow.locator("img.picture").first.evaluate("one => one.decode().then(() => one.naturalHeight)") == 60
    )
    admin.assert_calm(reports=True)


@THREE
@pytest.mark.parametrize(
    ("below", "tab", "seen"), [("", "run", "Artifacts"), ("/tasks/table", "task", "Outputs")]
)
def test_the_tabs_of_a_run_and_of_a_task(below: str, tab: str, seen: str, admin: Tab, shown: Shown) -> None:
    page = admin.open(f"/dags/{shown.dag_id}/runs/{quote(shown.run.run_id, safe='')}{below}")
    page.click(f"a[href$='/plugin/aqueduct-{tab}']")
    frame = admin.frame()
    assert seen in frame.inner_text("main")
    assert "frame=1" in frame.url
    assert violations(frame) == []
    admin.assert_calm(reports=tab == "run")


@THREE
def test_a_page_in_the_frame_follows_the_switch_of_the_ui(admin: Tab, shown: Shown) -> None:
    page = admin.open(f"/dags/{shown.dag_id}/plugin/aqueduct-flow")
    frame = admin.frame()
    light = colour(frame)
    assert frame.evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate(
        "() => { localStorage.theme = 'dark'; const one = document.documentElement.classList;"
        " one.remove('light'); one.add('dark'); }"
    )
    frame.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert colour(frame) != light
    assert violations(frame) == []
    # The colour is that of the UI around it, so that branding is followed.
    above = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--chakra-colors-bg')")
    assert frame.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--aq-bg')") == above


def colour(frame: Frame) -> str:
    """The background of a page."""
    found: str = frame.evaluate("getComputedStyle(document.body).backgroundColor")
    return found


@THREE
def test_a_link_leads_out_of_the_frame(admin: Tab, shown: Shown) -> None:
    page = admin.open(f"/dags/{shown.dag_id}/plugin/aqueduct-flow")
    admin.frame().click("a[data-out]")
    page.wait_for_url(f"**/dags/{shown.dag_id}")


@pytest.mark.skipif(MAJOR == 3, reason="a menu of Airflow 2.11")
def test_the_menu_leads_to_all_flows(admin: Tab, shown: Shown) -> None:
    page = admin.open("/home")
    page.click("a[href$='/aqueduct/']")
    page.wait_for_selector("main h1")
    # What Airflow's own page had to say.
    admin.said.clear()
    page.click(f"a[href*='/dags/{shown.dag_id}']")
    page.wait_for_selector("svg.chart")
    admin.assert_calm()


@pytest.mark.parametrize("name", ["flows", "flow", "run", "task"])
def test_the_keyboard_reaches_what_the_mouse_does(name: str, admin: Tab, shown: Shown) -> None:
    page = admin.open(shown.pages()[name])
    wanted = page.evaluate(_NUMBER_DOORS)
    reached: list[int] = []
    for _ in range(len(wanted) * 2 + 20):
        page.keyboard.press("Tab")
        place = page.evaluate("document.activeElement.dataset.place")
        if place is not None and int(place) not in reached:
            reached.append(int(place))
        if len(reached) == len(wanted):
            break
    # In the order in which they are read.
    assert reached == wanted
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
