"""Templates -> pages: one environment that escapes everything, and how values are shown in it.

In: a visit, the name of a template, values. Out: a page with headers that let nothing but our own script and
stylesheet act.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from aqueduct_provider.artifacts.numbers import counted, duration, moment, number, size
from aqueduct_provider.sdk.results.outcomes import run_status
from aqueduct_provider.spec.page_paths import MOUNT as MOUNT
from aqueduct_provider.spec.version_label import version_name
from aqueduct_provider.ui.charts import bar, sparkline
from aqueduct_provider.ui.json_tree import json_tree
from aqueduct_provider.ui.previews import HEX_BYTES, cell, exact, histogram, markdown_html
from aqueduct_provider.ui.request_reads import MOST, RequestReads

if TYPE_CHECKING:
    from jinja2 import Environment

    from aqueduct_provider.ui.airflow_database import AirflowDatabase

_FOLDER = Path(__file__).parent
_HTML = "text/html; charset=utf-8"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
)
# Of every page and every body that is sent.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": _POLICY,
    # Values are for those who may read them, not for a cache between.
    "Cache-Control": "no-store",
}
# Characters of what a function printed.
_OUTPUT = 40_000
# Names of the query that a page keeps in links to others.
_KEPT = "frame"


@dataclass(frozen=True)
class Page:
    """An answer.

    :param headers: beyond its type; they stand before ``HEADERS``.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = _HTML
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_headers(self) -> dict[str, str]:
        """Every header that is sent."""
        return {**HEADERS, "Content-Type": self.content_type, **self.headers}


@dataclass(frozen=True)
class Visit:
    """One request of a user who is logged in, and may read what the route shows.

    :param path: below the mount, for the log.
    :param root: the mount as browsers see it, such as ``/prefix/aqueduct``.
    :param names: those in the route's path, with their values here.
    :param query: the first value of each name.
    :param readable: gives the ids of the DAGs that the user may read.
    :param may_read_values: checks whether the user may read the XComs of a DAG.
    :param reads: what it reads of stores.
    """

    database: AirflowDatabase
    path: str = "/"
    root: str = MOUNT
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    readable: Callable[[], set[str]] = set
    may_read_values: Callable[[str], bool] = lambda _dag_id: False
    reads: RequestReads = field(default_factory=RequestReads)

    @property
    def dag_id(self) -> str:
        """The DAG of the path."""
        return self.names["dag_id"]

    @cached_property
    def is_framed(self) -> bool:
        """Check whether the page is a tab inside Airflow's UI."""
        return self.query.get("frame") == "1"

    def number(self, name: str, default: int, most: int) -> int:
        """Return a number of the query: from 1, or the default if that is less, to ``most``."""
        text = self.query.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            return default
        return min(most, max(min(1, default), int(text)))

    def link(self, /, *parts: str, **query: object) -> str:
        """Return the address of one of our pages.

        :param parts: of its path, such as ``"dags", dag_id``.
        :param query: what is empty or None is left out.
        """
        given = {name: value for name, value in query.items() if value not in (None, "")}
        if self.is_framed:
            given.setdefault(_KEPT, 1)
        path = "/".join(quote(part, safe="") for part in parts)
        return f"{self.root}/{path}{'?' if given else ''}{urlencode(given)}"

    def here(self, /, **changed: object) -> str:
        """Return the address of this page with a changed query."""
        parts = [part for part in self.path.split("/") if part]
        return self.link(*parts, **{**self.query, **changed})

    def airflow(self, dag_id: str, run_id: str = "") -> str:
        """Return the address of a DAG's or a run's page of Airflow itself."""
        return f"{self.home}{self.database.url(dag_id, run_id)}"

    @property
    def home(self) -> str:
        """The address of Airflow's own start page."""
        return f"{self.root.removesuffix(MOUNT)}/"

    def static(self, name: str) -> str:
        """Return the address of our stylesheet or script, which changes with its content."""
        return f"{self.root}/static/{name}?v={_digest(name)}"


def render(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Page:
    """Return the page that a template makes of these values.

    :param template: its file name.
    """
    text = environment().get_template(template).render(visit=visit, **values)
    # Users' text may hold halves of characters, which UTF-8 has not.
    return Page(status, text.encode(errors="replace"))


@cache
def environment() -> Environment:
    """Return the environment of all templates."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(counted=counted, number=number, moment=moment, duration=duration, size=size)
    made.filters.update(cell=cell, markdown=markdown_html, json_tree=json_tree, version_name=version_name)
    made.filters.update(run_word=lambda state: run_status(state).value)
    made.globals.update(bar=bar, sparkline=sparkline, histogram=histogram, exact=exact)
    made.globals.update(most_bytes=MOST, hex_bytes=HEX_BYTES, most_output=_OUTPUT)
    return made


def static_file(name: str) -> Page:
    """Return our stylesheet or script; of another name, an answer that says so."""
    if name not in _static_names():
        return Page(404, f"Aqueduct's pages have no file {name!r}.".encode(), "text/plain; charset=utf-8")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    # Its address has its digest.
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Page(body=_static(name), content_type=f"{kind}; charset=utf-8", headers=headers)


@cache
def _static_names() -> frozenset[str]:
    return frozenset(path.name for path in (_FOLDER / "static").iterdir() if path.suffix in (".css", ".js"))


@cache
def _static(name: str) -> bytes:
    return (_FOLDER / "static" / name).read_bytes()


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_static(name)).hexdigest()[:12]
