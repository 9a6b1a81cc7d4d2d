"""What users make cannot act: neither by a page of ours nor opened on its own, with an admin's login."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route

from tests.integration import shown_flow
from tests.integration.browser.conftest import Shown
from tests.integration.stack import SHOWN_ELSEWHERE, AirflowStack
from tests.support.browser import Tab

pytestmark = SHOWN_ELSEWHERE
# Of scripts that are not to run; longer than any of them takes.
ACT_MILLISECONDS = 1500


def test_a_report_opened_by_an_admin_cannot_use_the_admins_login(
    admin: Tab, shown: Shown, airflow: AirflowStack
) -> None:
    for address in (shown.body("report"), shown.body("page")):
        page = admin.open(address)
        page.wait_for_timeout(ACT_MILLISECONDS)
        assert page.locator("#state").inner_text() == "acted alone"
    assert_nothing_was_made(admin, airflow)


def test_a_report_in_a_page_cannot_use_the_admins_login(
    admin: Tab, shown: Shown, airflow: AirflowStack
) -> None:
    page = admin.open(shown.pages()["run"])
    reports = page.locator("iframe.report")
    reports.first.scroll_into_view_if_needed()
    page.wait_for_timeout(ACT_MILLISECONDS)
    assert page.frame_locator("iframe.report").first.locator("#state").inner_text() == "acted alone"
    assert "acted above" not in page.title()
    assert page.url.startswith(admin.url)
    assert_nothing_was_made(admin, airflow)


def test_without_the_sandbox_the_same_report_uses_the_admins_login(
    admin: Tab, shown: Shown, airflow: AirflowStack
) -> None:
    """The control: what the tests above see refused is refused by the policy that is taken away here."""
    address = shown.body("report")
    admin.page.route(f"**{address}", without_sandbox)
    try:
        page = admin.open(address)
        page.wait_for_timeout(ACT_MILLISECONDS)
        assert shown_flow.STOLEN in airflow.client.variables()
        assert admin.acted
    finally:
        if shown_flow.STOLEN in airflow.client.variables():
            airflow.client.delete_variable(shown_flow.STOLEN)


def test_without_the_sandbox_the_same_report_leads_the_window_away(admin: Tab, shown: Shown) -> None:
    address = shown.body("report")
    frame = f"<iframe src='{address}'></iframe>"
    admin.page.route("**/around", lambda route: route.fulfill(body=frame, content_type="text/html"))
    admin.page.route(f"**{address}", without_sandbox)
    admin.page.route("https://example.com/**", lambda route: route.abort())
    admin.page.route("**/api/v2/variables", lambda route: route.abort())
    admin.open("/around").wait_for_timeout(ACT_MILLISECONDS)
    assert "https://example.com/stolen" in admin.asked


def without_sandbox(route: Route) -> None:
    """Send what Airflow sends, but for its policy."""
    answer = route.fetch()
    kept = {name: value for name, value in answer.headers.items() if name != "content-security-policy"}
    route.fulfill(response=answer, headers=kept)


@pytest.mark.parametrize("link", ["above", "here"])
def test_a_report_in_a_page_leads_nowhere_even_when_it_is_clicked(
    link: str, admin: Tab, shown: Shown
) -> None:
    page = admin.open(shown.pages()["run"])
    place = page.url
    click_in_report(page, link)
    assert page.url == place
    assert page.locator("main h1").first.is_visible()
    assert not admin.strangers()


def test_a_report_that_is_opened_alone_can_leave_its_window(admin: Tab, shown: Shown) -> None:
    sent: list[dict[str, str]] = []

    def another_site(route: Route) -> None:
        sent.append(route.request.headers)
        route.fulfill(body="another site")

    admin.page.route("https://example.com/here", another_site)
    page = admin.open(shown.body("report"))
    page.click("#here")
    page.wait_for_url("https://example.com/here")
    # Not even the address in Airflow is given away.
    assert ["referer" in headers for headers in sent] == [False]


def test_a_report_that_shows_airflow_in_its_frame_is_still_a_stranger(
    admin: Tab, shown: Shown, airflow: AirflowStack
) -> None:
    page = admin.open(shown.pages()["run"])
    click_in_report(page, "home")
    element = page.query_selector("iframe.report")
    frame = element.content_frame() if element else None
    assert frame is not None
    assert frame.evaluate("self.origin") == "null"
    # The admin's login did not go with it.
    assert "score" not in frame.content()
    assert_nothing_was_made(admin, airflow)


def click_in_report(page: Page, link: str) -> None:
    """Click a link of the report inside the page, and wait for what comes of it."""
    page.locator("iframe.report").first.scroll_into_view_if_needed()
    page.frame_locator("iframe.report").first.locator(f"#{link}").click()
    page.wait_for_timeout(ACT_MILLISECONDS)


def assert_nothing_was_made(tab: Tab, airflow: AirflowStack) -> None:
    """Check by Airflow's own API, and by what the browser has asked for."""
    assert shown_flow.STOLEN not in airflow.client.variables()
    assert not tab.acted
    assert not tab.strangers()


def test_names_and_values_are_text(admin: Tab, shown: Shown) -> None:
    for address in shown.pages().values():
        page = admin.open(address)
        page.wait_for_timeout(200)
        # Ours alone, by their address.
        assert page.evaluate("[...document.scripts].every(one => one.src && !one.text)"), address
        assert page.evaluate("[...document.querySelectorAll('*')].every(one => !one.hasAttribute('onerror'))")
        links = page.evaluate("[...document.links].map(one => one.protocol)")
        assert set(links) <= {"http:"}, address
    admin.assert_calm(reports=True)


def test_every_body_is_sent_so_that_it_cannot_act(admin: Tab, shown: Shown) -> None:
    for name in ("report", "notes", "rows", "picture", "settings", "page", "weight"):
        answer = admin.page.request.get(admin.url + shown.body(name))
        assert answer.status == 200, name
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox"), name
        assert "allow-same-origin" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-disposition"], name
