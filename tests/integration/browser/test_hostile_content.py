"""What users make cannot act: neither by a page of ours nor opened on its own, with an admin's login."""

from __future__ import annotations

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
