"""What axe-core finds wrong with a page for those who use a keyboard or a screen reader."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

# Of axe-core's impacts, those that keep people from using a page.
_GRAVE = ("serious", "critical")


def violations(page: Page | Frame) -> list[str]:
    """Return the serious and critical violations of a page: the rule, and the elements that break it."""
    # Evaluated by the debugger, to which the page's policy says nothing.
    page.evaluate(_axe())
    # Frames inside have their own documents, made by users.
    found: list[dict[str, Any]] = page.evaluate(
        "() => axe.run(document, {iframes: false}).then(result => result.violations)"
    )
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: "
        + "; ".join(f"{node['target']} {node['html'][:120]}" for node in one["nodes"][:4])
        for one in found
        if one["impact"] in _GRAVE
    ]


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
