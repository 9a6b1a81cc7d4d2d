"""A real browser: Debian's Chromium, driven by Playwright, and what its pages asked for and complained of.

In: the address of an Airflow and the cookies of a login. Out: tabs, with what a test needs to judge them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Engine
    from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Frame, Page, Request

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
# Where CI keeps what tests leave: as in tools/suites.py.
PICTURES = Path(__file__).parents[2] / ".work" / "reports" / "pages"
# The narrowest window that the pages are made for.
WIDTH, HEIGHT = 1000, 800
# A first page of Airflow's UI takes long on a busy machine.
PATIENCE = 20_000
IS_3_1 = version("apache-airflow").startswith("3.1.")
# A warning about Airflow's own frame for plugins, and one of the router that Airflow 3.1 has: its first page
# loads the configuration. The router of 3.3 does not warn of that in a browser.
_FRAME = "allow-same-origin for its sandbox"
_ROUTER = "No `HydrateFallback` element provided to render during initial hydration"


@dataclass
class Tab:
    """A page of a browser, and what happened in it and in its frames.

    :param asked: the address of each request.
    :param said: what the console said, by those that complain: warnings and errors.
    :param acted: what a script did that none of ours does: dialogs.
    """

    page: Page
    url: str
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    acted: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        """Go to an address of Airflow and wait until it is loaded."""
        self.page.goto(self.url + address, wait_until="load")
        return self.page

    def frame(self) -> Frame:
        """Return our page inside Airflow's, loaded."""
        self.page.wait_for_selector("iframe[src*='aqueduct/']", state="attached")
        element = self.page.query_selector("iframe[src*='aqueduct/']")
        found = element.content_frame() if element else None
        assert found is not None
        found.wait_for_selector("main h1")
        return found

    def strangers(self) -> list[str]:
        """Return the requests that left Airflow."""
        own = urlsplit(self.url).netloc
        return [
            one
            for one in self.asked
            if (at := urlsplit(one)).scheme in ("http", "https") and at.netloc != own
        ]

    def assert_calm(self, *, reports: bool = False) -> None:
        """Check that no script but ours acted, no request left Airflow, and nothing was complained of.

        :param reports: the page shows reports of users, whose own complaints do not count.
        """
        assert not self.acted
        assert self.strangers() == []
        if not reports:
            assert self.said == []

    def picture(self, name: str) -> None:
        """Leave a picture of the page for CI."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png")


@dataclass(frozen=True)
class Browser:
    """A running Chromium.

    :param url: of Airflow.
    """

    engine: Engine
    url: str

    @contextmanager
    def tab(self, cookies: Mapping[str, str], theme: Theme = "light", *, width: int = WIDTH) -> Iterator[Tab]:
        """Open a tab of a profile of its own.

        :param cookies: of a login; none: nobody is logged in.
        :param theme: as Airflow's UI has kept the user's choice.
        """
        context = self.engine.new_context(
            viewport={"width": width, "height": HEIGHT}, locale="en-GB", timezone_id="UTC"
        )
        try:
            context.set_default_timeout(PATIENCE)
            context.add_cookies(
                [{"name": name, "value": value, "url": self.url} for name, value in cookies.items()]
            )
            context.add_init_script(f"try {{ localStorage.theme ??= {theme!r}; }} catch {{}}")
            yield _watched(context, self.url)
        finally:
            context.close()


@contextmanager
def running_browser(url: str) -> Iterator[Browser]:
    """Start a Chromium that has no way to the network but to this machine."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program, "the tests need Debian's chromium: python3 tools/servers.py"
    # Root has no sandbox of its own in Debian's build.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        engine = driver.chromium.launch(executable_path=program, args=[*options, "--disable-gpu"])
        try:
            yield Browser(engine, url)
        finally:
            engine.close()


def _watched(context: BrowserContext, url: str) -> Tab:
    tab = Tab(context.new_page(), url)

    def dialog(one: Dialog) -> None:
        tab.acted.append(one.message)
        one.dismiss()

    def said(one: ConsoleMessage) -> None:
        is_airflows = _FRAME in one.text or (one.text == _ROUTER and IS_3_1)
        if one.type in ("warning", "error") and not is_airflows:
            tab.said.append(one.text)

    def refused(one: Request) -> None:
        # By a page's policy: it has not left.
        if one.failure == "csp":
            tab.asked.remove(one.url)

    context.on("request", lambda one: tab.asked.append(one.url))
    context.on("requestfailed", refused)
    context.on("console", said)
    context.on("weberror", lambda one: tab.said.append(f"uncaught: {one.error}"))
    context.on("dialog", dialog)
    return tab
