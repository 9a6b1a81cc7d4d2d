"""Pages of the documentation site that are made of what is elsewhere: a hook of mkdocs.

The API reference lists the public names of the SDK; the changelog and others are files outside of ``docs/``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# File at the root -> page of the site.
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/RELIABILITY.md": "reliability.md",
    "examples/duckdb-system/README.md": "duckdb-system.md",
}
# What Sphinx reads in docstrings and mkdocstrings shows as it is: roles before code, colons before examples.
_SPHINX = (
    (re.compile(r":(?:attr|class|data|exc|func|meth|mod):(?=<code)"), ""),
    (re.compile(r"<p>::</p>\n?"), ""),
    (re.compile(r"::(?=</p>)"), ":"),
)
# Classes whose members are in several modules.
_INHERITS = ("Client", "FlowDiff", "Run")
_WITH_INHERITED = "\n    options:\n      inherited_members: true"
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
API = "api.md"
API_HEAD = """\
# API reference of the SDK

    import aqueduct_provider.sdk as aq

The names below are those of `aq`; the [version policy](upgrading.md) says when they may change.
"""


def on_files(files: Any, config: Any) -> Any:
    """Add the pages to those of the folder (called by mkdocs)."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, API, content=api_page()))
    for source, page in PAGES.items():
        text = (ROOT / source).read_text("utf-8")
        files.append(File.generated(config, page, content=with_links_of_the_site(text, source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Replace links to files outside of ``docs/`` by those to their pages (called by mkdocs)."""
    return with_links_of_the_site(markdown, f"docs/{page.file.src_uri}", only_root=True)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Take the signs of Sphinx out of the API reference (called by mkdocs)."""
    return without_sphinx(html) if page.file.src_uri == API else html


def without_sphinx(html: str) -> str:
    """Remove the signs of Sphinx that are left in a rendered docstring."""
    for pattern, replacement in _SPHINX:
        html = pattern.sub(replacement, html)
    return html


def api_page() -> str:
    """Return the page that mkdocstrings fills: each public name, below the module that has it."""
    from aqueduct_provider import sdk

    homes: dict[str, list[str]] = {}
    for name in sdk.__all__:
        homes.setdefault(sdk._HOME_OF.get(name, "aqueduct_provider.sdk"), []).append(name)
    # What is called stands before what is raised and compared with.
    ordered = sorted(homes, key=lambda home: (home.endswith((".enums", ".errors")), home))
    blocks = (
        f"::: {home}.{name}{_WITH_INHERITED if name in _INHERITS else ''}"
        for home in ordered
        for name in homes[home]
    )
    return "\n\n".join([API_HEAD, *blocks, ""])


def with_links_of_the_site(markdown: str, source: str, *, only_root: bool = False) -> str:
    """Rewrite relative links of a file of the repository for its page on the site.

    :param source: the file's path in the repository.
    :param only_root: leave links within ``docs/`` as they are.
    """
    folder = (ROOT / source).parent

    def link(found: re.Match[str]) -> str:
        target = (folder / found[1]).resolve()
        path = target.relative_to(ROOT).as_posix() if target.is_relative_to(ROOT) else ""
        if path in PAGES:
            up = "../" * (source.count("/") - 1) if source.startswith("docs/") else ""
            return f"]({up}{PAGES[path]}"
        if path.startswith("docs/") and not only_root:
            return f"]({path.removeprefix('docs/')}"
        return found[0]

    return _LINK.sub(link, markdown)
