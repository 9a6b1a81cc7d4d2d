"""Send the content of an artifact: verified, never decoded, and so that nothing in it can act.

Whoever may publish a flow decides what is in its artifacts. Every body is therefore sent with a policy that
puts it into a sandbox, where it is a stranger to Airflow's pages and their cookies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from aqueduct_provider.artifacts.transfer import fetch_small
from aqueduct_provider.errors import NotFound, ObjectNotFound, ObjectTooLarge
from aqueduct_provider.ui.flow_page import facts_or_raise
from aqueduct_provider.ui.html import Page, Visit, render
from aqueduct_provider.ui.reading import PageSession
from aqueduct_provider.ui.request_reads import MOST
from aqueduct_provider.ui.run_links import RunLinks
from aqueduct_provider.ui.shown_run import written

if TYPE_CHECKING:
    from aqueduct_provider.sdk.results.recorded_runs import ShownArtifact
    from aqueduct_provider.spec.dag_facts import DagFacts

_STILL = "sandbox; default-src 'none'; frame-ancestors 'self'"
# A report may draw itself, also by functions that it compiles, as those of altair. It can load nothing.
_REPORT = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'"
)
# Airflow compresses answers, on older releases while all others wait; what has an encoding, it lets pass.
UNCOMPRESSED = {"Content-Encoding": "identity"}
_IMAGES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}
_ENDINGS = {"parquet": "parquet", "json": "json", "pickle": "pickle", "table": "json", "bson_table": "bson"}


@dataclass(frozen=True)
class Body:
    """How a content is sent.

    :param ending: of the name of the file.
    :param is_shown: the browser shows it; else it is saved.
    """

    content_type: str
    ending: str
    is_shown: bool
    policy: str = _STILL


def artifact_body(visit: Visit) -> Page:
    """Return the content of an artifact, or a page that says why it is not available here."""
    facts = facts_or_raise(visit)
    run_id, artifact_id = visit.names["run_id"], visit.names["artifact_id"]
    artifact = written(visit.database, visit.dag_id, run_id, facts, artifact_id)
    if artifact is None or artifact.ref is None:
        visit.database.run(visit.dag_id, run_id)
        raise NotFound(f"Run {run_id!r} has not written an artifact with the id {artifact_id!r}.")
    if artifact.is_secret:
        reason = f"{artifact.name!r} has the name of a secret, so its content is not shown here."
        return _error_page(visit, 403, artifact, reason, facts)
    if artifact.ref.size > MOST:
        return _too_large(visit, artifact, facts)
    try:
        store = PageSession(visit.database, facts, visit.reads).store
        data = fetch_small(store, artifact.ref.key, artifact.ref.sha256, MOST)
    except ObjectTooLarge:
        return _too_large(visit, artifact, facts)
    except ObjectNotFound:
        reason = f"{artifact.name!r} was written, and its content was deleted since."
        return _error_page(visit, 404, artifact, reason, facts)
    body = body_of(artifact, data)
    is_shown = body.is_shown and visit.query.get("download") != "1"
    headers = {
        "Content-Security-Policy": body.policy,
        "Content-Disposition": disposition(artifact.name, body.ending, is_shown=is_shown),
        "Cross-Origin-Resource-Policy": "same-origin",
        **UNCOMPRESSED,
    }
    return Page(200, data, body.content_type, headers)


def body_of(artifact: ShownArtifact, data: bytes) -> Body:
    """Decide how a content is sent: by what it is, not by what its flow says, where that matters."""
    kind = image_kind(data)
    if kind:
        return Body(f"image/{kind}", "jpg" if kind == "jpeg" else kind, is_shown=True)
    serialization = artifact.ref.serialization_type if artifact.ref else ""
    if serialization == "string":
        if artifact.format == "html":
            return Body("text/html; charset=utf-8", "html", is_shown=True, policy=_REPORT)
        ending = {"markdown": "md"}.get(artifact.format, "json" if artifact.type == "json" else "txt")
        return Body("text/plain; charset=utf-8", ending, is_shown=True)
    if serialization == "json":
        return Body("text/plain; charset=utf-8", "json", is_shown=True)
    return Body("application/octet-stream", _ENDINGS.get(serialization, "bin"), is_shown=False)


def image_kind(data: bytes) -> str:
    """Return ``png``, ``jpeg``, ``gif`` or ``webp`` for such an image, by its first bytes; else nothing."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for start, kind in _IMAGES.items() if data.startswith(start)), "")


def disposition(name: str, ending: str, *, is_shown: bool) -> str:
    """Return the header that names the file.

    :param name: the artifact's, any text.
    """
    full = f"{name[:100].strip() or 'artifact'}.{ending}"
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_. ") else "_" for char in full)
    encoded = quote(full.encode("utf-8", "replace"), safe="")
    return f"{'inline' if is_shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def python_lines(facts: DagFacts, run_id: str, name: str) -> str:
    """Return how an artifact is read in Python."""
    return (
        "import aqueduct_provider.sdk as aq\n\n"
        f"run = aq.Client().flow(flow_name={facts.flow.name!r}).fetch({run_id!r})\n"
        f"value = run.artifact({name!r}).get()"
    )


def _too_large(visit: Visit, artifact: ShownArtifact, facts: DagFacts) -> Page:
    size = artifact.ref.size if artifact.ref else 0
    reason = f"{artifact.name!r} has {size:,} bytes; pages send at most {MOST:,}. Read it in Python:"
    return _error_page(visit, 413, artifact, reason, facts)


def _error_page(visit: Visit, status: int, artifact: ShownArtifact, reason: str, facts: DagFacts) -> Page:
    run_id = visit.names["run_id"]
    return render(
        visit,
        "no_content.html",
        status=status,
        title=artifact.name,
        reason=reason,
        links=RunLinks(visit, run_id),
        python=python_lines(facts, run_id, artifact.name) if status == 413 else "",
    )
