"""Every page in a real browser: in Airflow's own frame, in both themes, and on its own."""

from __future__ import annotations

import pytest

from tests.integration.browser.conftest import Shown
from tests.integration.stack import MAJOR, SHOWN_ELSEWHERE, AirflowStack
from tests.support.accessibility import violations
from tests.support.browser import THEMES, Browser, Theme

pytestmark = SHOWN_ELSEWHERE
PAGES = ("flows", "flow", "spec", "run", "task")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_open_to_all(
    name: str, theme: Theme, shown: Shown, browser: Browser, airflow: AirflowStack
) -> None:
    with browser.tab(airflow.client.cookies(), theme) as tab:
        page = tab.open(shown.pages()[name])
        tab.picture(f"{MAJOR}-{name}-{theme}")
        assert page.locator("h1").first.is_visible()
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        # Nothing is cut off in a narrow window: only what scrolls by itself is wider.
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(page) == []
        tab.assert_calm(reports=name == "run")
