from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import DigestMismatch, NotFound, StorageUnavailable
from aqueduct_provider.storage.layout import FlowLayout
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.ui import reading
from aqueduct_provider.ui.flow_page import flow_page, spec_page
from tests.support.airflow_rows import START, AirflowRows
from tests.support.example_specs import FLOW_ID, VERSION_ID, native_document
from tests.support.flow_rows import CHURN, add_churn, add_run, attributes, manifest

TEXT = json.dumps(native_document()).encode()
AT = {"connection_id": "aqueduct_default"}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    """The flow's store, with the spec of its version."""
    made = LocalStore(tmp_path)
    made.put(FlowLayout(FLOW_ID).version(VERSION_ID), TEXT)
    monkeypatch.setattr(reading, "page_store", lambda name, *_: made if name == AT["connection_id"] else None)
    return made


def test_a_dag_of_somebody_else(rows: AirflowRows, visit: Any) -> None:
    rows.dag("other", {"bash": None}, tags=[])
    page = flow_page(visit("/dags/other"))
    assert page.status == 200
    assert "not a flow of Aqueduct" in page.body.decode()


def test_a_flow_without_runs(rows: AirflowRows, visit: Any, store: LocalStore) -> None:
    add_churn(rows, store=AT)
    text = flow_page(visit("/dags/churn")).body.decode()
    assert "This flow has not run yet" in text
    assert "<figure>" not in text
    assert "Read the workflow spec" in text


def test_a_flow_with_runs(rows: AirflowRows, visit: Any, store: LocalStore) -> None:
    add_churn(rows, store=AT, number=12)
    for n in range(30):
        add_run(rows, n / 7, good="warning" if n == 3 else "succeeded")
    rows.queries.clear()
    text = flow_page(visit("/dags/churn", query={"frame": "1"})).body.decode()
    assert len(rows.queries) == 7
    assert 'aria-label="auc: last 4.14286, lowest 0, highest 4.14286"' in text
    assert "<title>4.14286 in run-30, succeeded</title>" in text
    assert 'aria-label="good: 29 of 30 passed"' in text
    assert "v12 (5f0c1a8e)" in text
    # The table has every value of the charts.
    assert text.count('<td class="number">') >= 30
    assert 'href="/aqueduct/dags/churn/runs/run-30?frame=1"' in text
    # The bound stands above the chart: over the line, neither could be read.
    assert '<figcaption>auc <span class="bound-words">greater than 0.5</span></figcaption>' in text
    assert ">2026-01-02</text>" in text
    assert ">2026-01-31</text>" in text


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [
        ([0, 86_400], ["2026-01-01", "2026-01-02"]),
        ([0, 120], ["2026-01-01 10:00 UTC", "2026-01-01 10:02 UTC"]),
        ([0, 7], ["2026-01-01 10:00:00 UTC", "2026-01-01 10:00:07 UTC"]),
        ([0], ["2026-01-01 10:00 UTC"]),
        ([0, 0], ["2026-01-01 10:00 UTC", "2026-01-01 10:00 UTC"]),
    ],
)
def test_the_ends_of_an_axis_differ(
    rows: AirflowRows, visit: Any, store: LocalStore, seconds: list[int], ends: list[str]
) -> None:
    add_churn(rows, store=AT)
    for later in seconds:
        begun = START + timedelta(hours=10, seconds=later)
        rows.task("churn", rows.run("churn", start_date=begun), "auc", manifest(0.5))
    text = flow_page(visit("/dags/churn")).body.decode()
    assert re.findall(r'class="axis(?: end)?"[^>]*>(2026[^<]*)<', text) == ends


def test_numbers_that_are_not_finite(rows: AirflowRows, visit: Any, store: LocalStore) -> None:
    add_churn(rows, store=AT)
    for word in ("nan", "inf", None):
        rows.task("churn", rows.run("churn"), "auc", manifest(word))
    text = flow_page(visit("/dags/churn")).body.decode()
    # In the chart, and in the table, where they differ from a run without a value.
    assert "<title>nan in run-1, succeeded</title>" in text
    assert re.findall(r'<td class="number">(.*?)</td>', text)[:3] == ["", "inf", "nan"]


@pytest.mark.parametrize(
    ("timezone", "shown"), [("Europe/Berlin", "At 06:00 (Europe/Berlin)"), ("UTC", "At 06:00 (UTC)")]
)
def test_a_schedule_names_its_time_zone(
    rows: AirflowRows, visit: Any, store: LocalStore, timezone: str, shown: str
) -> None:
    own = {"timetable_description": "At 06:00", "next_dagrun_create_after": START}
    rows.dag("churn", attributes(CHURN, store=AT, timezone=timezone), **own)
    assert f"<span>{shown}</span>" in flow_page(visit("/dags/churn")).body.decode()
    # An older release has made the DAG: Airflow knows no more.
    rows.dag("other", attributes(CHURN, store=AT), **own)
    assert "<span>At 06:00</span>" in flow_page(visit("/dags/other")).body.decode()


def test_the_newest_run_is_one_click_away(rows: AirflowRows, visit: Any, store: LocalStore) -> None:
    add_churn(rows, store=AT)
    for _ in range(2):
        add_run(rows, 0.5)
    text = flow_page(visit("/dags/churn", query={"frame": "1"})).body.decode()
    assert 'href="/aqueduct/dags/churn/runs/run-2?frame=1#artifacts"' in text


def test_pages_of_runs(rows: AirflowRows, visit: Any, store: LocalStore) -> None:
    add_churn(rows, store=AT)
    for n in range(5):
        add_run(rows, n)
    text = flow_page(visit("/dags/churn", query={"runs": "2", "skip": "1"})).body.decode()
    assert "Runs 2 to 3 of 5" in text
    assert "run-4" in text
    assert "run-5" not in text
    assert "/aqueduct/dags/churn?runs=2&amp;skip=3" in text
    assert "No run is this old" in flow_page(visit("/dags/churn", query={"skip": "50"})).body.decode()


def test_a_store_that_is_away(rows: AirflowRows, visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise StorageUnavailable("S3 at x does not answer.")

    monkeypatch.setattr(reading, "page_store", away)
    add_churn(rows, store=AT)
    add_run(rows, 0.5)
    text = flow_page(visit("/dags/churn")).body.decode()
    assert "shows what Airflow&#39;s database has. S3 at x does not answer." in text
    assert 'aria-label="auc: last 0.5' in text


def test_a_flow_of_the_original(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows, dialect="compiled")
    add_run(rows, 0.5)
    text = flow_page(visit("/dags/churn")).body.decode()
    assert "Its spec may hold keys" in text
    assert "Read the workflow spec" not in text
    with pytest.raises(NotFound, match="may hold keys"):
        spec_page(visit("/dags/churn/spec"))


def test_the_spec(rows: AirflowRows, visit: Any, store: LocalStore) -> None:
    add_churn(rows, store=AT, sha256=hashlib.sha256(TEXT).hexdigest())
    shown = spec_page(visit("/dags/churn/spec")).body.decode()
    assert "&#34;spec_version&#34;: 1" in shown
    file = spec_page(visit("/dags/churn/spec", query={"download": "1"}))
    assert file.body == TEXT
    assert file.all_headers["Content-Disposition"] == 'attachment; filename="churn-5f0c1a8e.json"'
    assert file.content_type == "application/json"


def test_a_changed_spec_is_not_shown(rows: AirflowRows, visit: Any, store: LocalStore) -> None:
    add_churn(rows, store=AT, sha256="0" * 64)
    with pytest.raises(DigestMismatch, match="it was changed"):
        spec_page(visit("/dags/churn/spec"))


def test_the_spec_of_a_dag_that_is_not_a_flow(rows: AirflowRows, visit: Any) -> None:
    rows.dag("other", {"bash": None})
    with pytest.raises(NotFound, match="'other' is not a DAG of a flow"):
        spec_page(visit("/dags/other/spec"))
