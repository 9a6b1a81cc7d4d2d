"""The documentation site: which pages it has, and those that are made of other files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import aqueduct_provider.sdk as aq
from docs.site_pages import API, PAGES, api_page, with_links_of_the_site, without_sphinx

ROOT = Path(__file__).parents[3]
CONFIGURATION = (ROOT / "mkdocs.yml").read_text("utf-8")


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r": ([\w/-]+\.md)$", CONFIGURATION, re.MULTILINE))
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert listed == pages | {API, *PAGES.values()}


def test_the_reference_has_every_public_name() -> None:
    blocks = re.findall(r"^::: (.+)\.(\w+)$", api_page(), re.MULTILINE)
    assert {name for _, name in blocks} == set(aq.__all__)
    assert ("aqueduct_provider.sdk.client", "Client") in blocks
    # Some of its methods are in another module.
    assert (
        "::: aqueduct_provider.sdk.client.Client\n    options:\n      inherited_members: true\n" in api_page()
    )


@pytest.mark.parametrize(
    ("source", "link", "found"),
    [
        ("docs/data-systems.md", "../benchmarks/README.md", "benchmarks.md"),
        ("docs/tutorial/quickstart.md", "../../CHANGELOG.md#x", "../changelog.md#x"),
        ("docs/tutorial/quickstart.md", "../cli.md", "../cli.md"),
        ("CHANGELOG.md", "docs/tutorial/values.md", "tutorial/values.md"),
        ("CHANGELOG.md", "https://example.com/CHANGELOG.md", "https://example.com/CHANGELOG.md"),
        ("CONTRIBUTING.md", "#tests", "#tests"),
    ],
)
def test_links_lead_to_pages_of_the_site(source: str, link: str, found: str) -> None:
    text = with_links_of_the_site(f"[a]({link})", source, only_root=source.startswith("docs/"))
    assert text == f"[a]({found})"


def test_no_signs_of_sphinx_are_left_in_docstrings() -> None:
    html = "<p>As for :meth:<code>get</code>.</p>\n<p>::</p>\n<pre>a</pre>\n<p>Or::</p>\n<pre>b::</pre>"
    assert without_sphinx(html) == (
        "<p>As for <code>get</code>.</p>\n<pre>a</pre>\n<p>Or:</p>\n<pre>b::</pre>"
    )
