from __future__ import annotations

import copy
from typing import Any

import pytest

from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.errors import DigestMismatch, NotFound
from aqueduct_provider.sdk.results.recorded_runs import ShownArtifact
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.ui import artifact_body as module
from aqueduct_provider.ui.artifact_body import artifact_body, body_of, disposition, image_kind
from aqueduct_provider.ui.html import Page
from tests.support.airflow_rows import AirflowRows
from tests.support.example_specs import FLOW_ID
from tests.support.flow_rows import add_churn
from tests.support.played_runs import DAG, Played


@pytest.fixture
def body(rows: AirflowRows, visit: Any, played: Played) -> Any:
    """Gives the answer to a request for an artifact."""
    played.write(rows)

    def ask(name: str, **query: str) -> Page:
        names = {"run_id": played.run_id, "artifact_id": f"{name}-value"}
        return artifact_body(visit(f"/dags/{DAG}/runs/x/artifacts/{name}", names=names, query=query))

    return ask


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("report", "text/html; charset=utf-8", True),
        ("note", "text/plain; charset=utf-8", True),
        ("picture", "image/png", True),
        ("settings", "text/plain; charset=utf-8", True),
        ("accuracy", "text/plain; charset=utf-8", True),
        ("wines", "application/octet-stream", False),
        ("model", "application/octet-stream", False),
        ("raw", "application/octet-stream", False),
    ],
)
def test_bodies(body: Any, name: str, kind: str, shown: bool) -> None:
    answer = body(name)
    headers = answer.all_headers
    assert (answer.status, headers["Content-Type"]) == (200, kind)
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "allow-same-origin" not in headers["Content-Security-Policy"]
    assert ("allow-scripts" in headers["Content-Security-Policy"]) is (name == "report")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Encoding"] == "identity"
    assert headers["Content-Disposition"].startswith("inline" if shown else "attachment")
    saved = body(name, download="1").all_headers["Content-Disposition"]
    assert saved.startswith(f'attachment; filename="{name}.')


def test_the_bytes_are_as_they_were_written(body: Any) -> None:
    assert body("raw").body == bytes(range(40))
    assert body("report").body == b"<html><script>act()</script>hi</html>"


def test_secrets_are_not_sent(body: Any) -> None:
    answer = body("api_password")
    assert answer.status == 403
    assert b"hunter2" not in answer.body
    assert b"has the name of a secret" in answer.body


def test_what_is_not_there(body: Any, rows: AirflowRows, visit: Any) -> None:
    for name in ("nothing", "broken"):
        with pytest.raises(NotFound, match="has not written"):
            body(name)
    names = {"run_id": "never", "artifact_id": "x"}
    with pytest.raises(NotFound, match="no run 'never'"):
        artifact_body(visit(f"/dags/{DAG}/runs/never/artifacts/x", names=names))
    rows.dag("other", {"bash": None}, tags=[])
    with pytest.raises(NotFound, match="not a DAG of a flow"):
        artifact_body(visit("/dags/other/runs/x/artifacts/x", names=names))


@pytest.mark.parametrize("field", ["key", "metadata_key"])
def test_a_forged_record_leads_to_no_other_object(
    rows: AirflowRows, visit: Any, played: Played, field: str
) -> None:
    forged = copy.deepcopy(played.left["note"])
    forged["artifacts"]["note-value"][field] = "flows/other/runs/r/artifacts/a/content"
    rows.dag(DAG, played.attributes, name="churn")
    rows.run(DAG, played.run_id)
    rows.task(DAG, played.run_id, "note", forged)
    names = {"run_id": played.run_id, "artifact_id": "note-value"}
    with pytest.raises(NotFound, match="has not written"):
        artifact_body(visit(f"/dags/{DAG}/runs/x/artifacts/note", names=names))


def test_what_was_changed_or_deleted(body: Any, played: Played) -> None:
    key = NativeLayout(FLOW_ID, played.run_id).content("note-value")
    data = played.store.get(key)
    try:
        played.store.put(key, b"<html>other")
        with pytest.raises(DigestMismatch, match="was changed"):
            body("note")
        played.store.delete([key])
        answer = body("note")
        assert (answer.status, b"was deleted since" in answer.body) == (404, True)
    finally:
        played.store.put(key, data)


def test_what_is_too_large(body: Any, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 20)
    answer = body("report")
    assert answer.status == 413
    text = answer.body.decode()
    assert "&#39;report&#39; has 37 bytes; pages send at most 20. Read it in Python:" in text
    assert f".fetch(&#39;{played.run_id}&#39;)" in text


def test_without_its_store(rows: AirflowRows, visit: Any, played: Played) -> None:
    from aqueduct_provider.errors import AqueductError

    add_churn(rows)
    played.write(rows, dag=False)
    names = {"run_id": played.run_id, "artifact_id": "report-value"}
    with pytest.raises(AqueductError, match="names its store itself"):
        artifact_body(visit(f"/dags/{DAG}/runs/x/artifacts/x", names=names))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF....WEBPVP8 ", "webp"),
        (b"RIFF....WAVE", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", ""),
        (b"", ""),
    ],
)
def test_images_are_known_by_their_bytes(data: bytes, kind: str) -> None:
    assert image_kind(data) == kind


@pytest.mark.parametrize(
    ("type_", "serialization", "format_"),
    [("image", "image", ""), ("bytes", "bytes", "html"), ("picklable", "string2", "html"), ("x", "", "")],
)
def test_nothing_but_text_is_a_report(type_: str, serialization: str, format_: str) -> None:
    ref = ArtifactRef("k", "", 1, "m", "", type_, serialization, glance={"format": format_})
    found = body_of(ShownArtifact("i", "n", type_, ref), b"<svg onload=act()>")
    assert (found.content_type, found.is_shown) == ("application/octet-stream", False)
    assert "allow-scripts" not in found.policy


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a b", "inline; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"),
        ('x"\r\nSet-Cookie: y', "inline; filename=\"x___Set-Cookie_ y.txt\"; filename*=UTF-8''"),
        ("größe", "inline; filename=\"gr__e.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt"),
        ("../../etc", 'inline; filename=".._.._etc.txt"'),
        ("\ud800", 'inline; filename="_.txt"'),
        ("", 'inline; filename="artifact.txt"'),
    ],
)
def test_names_of_files(name: str, header: str) -> None:
    made = disposition(name, "txt", is_shown=True)
    assert made.startswith(header)
    assert "\n" not in made
    assert made.isascii()
