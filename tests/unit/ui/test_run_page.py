from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from markupsafe import escape

from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.artifacts.stored_facts import ImagePreview, StoredFacts, TextPreview
from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.results.recorded_runs import ShownArtifact
from aqueduct_provider.ui.run_page import CompareContent, ShownContent, run_page
from tests.support.airflow_rows import AirflowRows
from tests.support.flow_rows import add_churn, attributes, manifest, operator_json
from tests.support.played_runs import DAG, Played


def text_of(visit: Any, run_id: str, **query: str) -> str:
    page = run_page(visit(f"/dags/{DAG}/runs/{run_id}", names={"run_id": run_id}, query=query))
    assert page.status == 200
    text: str = page.body.decode()
    return text


def test_a_run(rows: AirflowRows, visit: Any, played: Played) -> None:
    played.write(rows)
    text = text_of(visit, played.run_id)
    # The graph leads to the page of each task.
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in text
    assert (
        f'<a href="/aqueduct/dags/{DAG}/runs/manual__2026-01-01T00%3A00%3A00%2B00%3A00/tasks/model#model">'
        in text
    )
    # The failure, with the user's traceback and output.
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in text
    assert "Printed to stdout" in text
    # Values, from Airflow's database.
    assert ">3</td>" in text
    assert "0.375" in text
    # A long one opens.
    assert '<details class="long"><summary>SELECT kind FROM wines &lt;script&gt;' in text
    assert "LIMIT 7</pre>" in text
    assert '<span class="badge warning">warning</span>' in text
    # Previews, from the store.
    assert "&lt;b&gt;red&lt;/b&gt;" in text
    assert "3 of 3 rows" in text
    assert '<svg class="histogram"' in text
    assert "<h4>Title</h4>" in text
    assert "&lt;b&gt;raw&lt;/b&gt;" in text
    assert "&lt;/pre&gt;&lt;i&gt;" in text
    assert "{1, 2}" in text
    assert '<iframe class="report" sandbox="allow-scripts" src="/aqueduct/dags/' in text
    assert '<img class="picture"' in text
    assert text.count('<img src="data:image/jpeg;base64,') == 12
    assert "12 of 15 images" in text
    assert '<div class="tree">' in text
    # What must not be there.
    for bad in ("hunter2", "<b>red", "<b>raw", "<script>act", '<img src="/logout', "</pre><i>"):
        assert bad not in text, bad


def test_a_forged_record_leads_to_no_other_preview(rows: AirflowRows, visit: Any, played: Played) -> None:
    left = copy.deepcopy(played.left)
    (note,) = left["note"]["artifacts"].values()
    (model,) = left["model"]["artifacts"].values()
    note.update(metadata_key=model["metadata_key"], metadata_sha256=model["metadata_sha256"])
    replace(played, left=left).write(rows)
    text = text_of(visit, played.run_id)
    assert text.count("{1, 2}") == 1, "the model's own"


def test_a_run_of_which_only_the_database_is_there(rows: AirflowRows, visit: Any, played: Played) -> None:
    attributes = played.attributes
    next(iter(attributes.values()))["flow"]["store"]["connection_id"] = "no_such_connection"
    rows.dag(DAG, attributes)
    played.write(rows, dag=False)
    text = text_of(visit, played.run_id)
    assert "Only what Airflow&#39;s database has is shown. " in text
    assert "no_such_connection" in text
    assert "0.375" in text
    assert "table, 3 rows x 2 columns" in text
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in text
    assert '<span class="badge failed">failed</span>' in text


def test_a_run_that_an_older_release_left(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows)
    run_id = rows.run(DAG)
    ref = dict.fromkeys(("key", "sha256", "metadata_key", "metadata_sha256"), "x")
    ref |= {"artifact_type": "numeric", "serialization_type": "json", "size": 8}
    old = {"version": 1, "status": "succeeded", "artifacts": {"auc-id": ref}}
    rows.task(DAG, run_id, "auc", old)
    text = text_of(visit, run_id)
    assert "numeric, 8 bytes" in text


@pytest.mark.parametrize("run_id", ["a/b", "x+y <b>'\"", "../..", "a/tasks/b"])
def test_ids_of_any_kind(rows: AirflowRows, visit: Any, run_id: str) -> None:
    add_churn(rows, name="<b>bold</b> \"'")
    rows.run(DAG, run_id)
    rows.run(DAG, "other")
    text = text_of(visit, run_id)
    assert "<b>" not in text
    assert escape(run_id) in text


def test_a_hostile_database(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows)
    run_id = rows.run(DAG)
    ref = {"key": 1, "sha256": None, "size": "many", "glance": 7, "name": {}}
    for number, left in enumerate(
        [
            7,
            {"version": 1, "status": "succeeded", "artifacts": {"train-id": ref}},
            {"version": 1, "status": {"a": 1}, "artifacts": []},
            {"version": 1, "operators": 5, "spec": []},
        ]
    ):
        rows.task(DAG, run_id, ("train", "auc", "good", "greater_than_0.5")[number], left)
    assert "train" in text_of(visit, run_id)


def test_a_long_run_is_paged(rows: AirflowRows, visit: Any) -> None:
    rows.dag(DAG, attributes([operator_json(f"step {n}", "function") for n in range(60)]))
    run_id = rows.run(DAG)
    first, last = text_of(visit, run_id), text_of(visit, run_id, page="3")
    assert ("page 1 of 3" in first, "page 3 of 3" in last) == (True, True)
    assert ('aria-label="step 0 artifact"' in first, 'aria-label="step 0 artifact"' in last) == (True, False)


def with_auc(rows: AirflowRows, auc: float, good: str) -> str:
    run_id = rows.run(DAG)
    for task_id, left in (("auc", manifest(auc)), ("good", manifest(good == "succeeded", good))):
        rows.task(DAG, run_id, task_id, {**left, "artifacts": {f"{task_id}-id": left["artifacts"]["id"]}})
    return run_id


def test_two_runs_side_by_side(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows)
    before, now = (with_auc(rows, auc, good) for auc, good in ((0.5, "succeeded"), (0.75, "warning")))
    text = text_of(visit, now, compare=before)
    assert "+0.25 (+50.00%)" in text
    assert '<span class="mark changed">changed</span>' in text
    assert f'<option value="{before}" selected>' in text
    assert text_of(visit, now).count("selected") == 0
    with pytest.raises(NotFound, match="no run 'nothing'"):
        text_of(visit, now, compare="nothing")


def test_the_older_run_is_before_whichever_page_it_is(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows)
    first, second = (with_auc(rows, auc, "succeeded") for auc in (0.5, 0.75))
    for one, other in ((first, second), (second, first)):
        text = text_of(visit, one, compare=other)
        assert "+0.25 (+50.00%)" in text
        heads = [text.index(f">{word}: <a") for word in ("Before", "After")]
        assert (
            heads[0]
            < text.index(f"/runs/{first}", heads[0])
            < heads[1]
            < text.index(f"/runs/{second}", heads[1])
        )


def content(text: str, kind: str = "json", *, size: int = 8) -> ShownContent:
    preview = TextPreview(kind, text) if kind != "image" else ImagePreview()
    ref = ArtifactRef("k", text, size, "m", "0", kind, "json", "x", {})
    return ShownContent(ShownArtifact("x-id", "x", kind, ref), "f", "", StoredFacts(preview))


def test_text_that_changed_is_compared_by_lines() -> None:
    found = CompareContent.of(content('{\n  "x": 1\n}'), content('{\n  "x": 9\n}'))
    assert list(found.lines) == ["@@ -1,3 +1,3 @@", " {", '-  "x": 1', '+  "x": 9', " }"]
    assert not found.is_image
    long = CompareContent.of(content("a\n" * 5_000), content("x" * 5_000 + "\nb" * 5_000))
    assert len(long.lines) == 60
    assert max(map(len, long.lines)) <= 1_000


def test_images_that_changed_are_side_by_side() -> None:
    found = CompareContent.of(content("a", "image"), content("b", "image"))
    assert (found.is_image, found.lines) == (True, ())
    assert not CompareContent.of(content("a", "image"), content("b", "image", size=9_000_000)).is_image


def test_a_dag_of_somebody_else(rows: AirflowRows, visit: Any) -> None:
    rows.dag("other", {"bash": None}, tags=[])
    page = run_page(visit("/dags/other/runs/x", names={"run_id": "x"}))
    assert "not a flow of Aqueduct" in page.body.decode()
