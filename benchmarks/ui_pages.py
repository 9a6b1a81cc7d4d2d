"""What the pages inside Airflow cost: a flow with 1,000 runs of 200 operators, such a run, and 1,000 flows.

From a database in memory with Airflow's own tables and, for the flow's versions and spec, a warm S3 server;
in this process, without a web server. ``.venv/bin/python -m benchmarks.run --only ui_pages`` measures it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Figure, Series, duration
from benchmarks.lab import Lab, store_of
from tests.support.airflow_rows import AirflowRows
from tests.support.example_specs import VERSION_ID, call_operator, native_document
from tests.support.flow_rows import attributes, manifest, operator_json

if TYPE_CHECKING:
    from aqueduct_provider.storage.object_store import ObjectStore

LIMIT = 1.0


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param metrics: among the operators, and as many checks.
    :param flows: in the list.
    """

    runs: int
    operators: int
    metrics: int
    flows: int
    times: int


FULL = Sizes(runs=1000, operators=200, metrics=10, flows=1000, times=7)
SMOKE = Sizes(runs=3, operators=6, metrics=2, flows=3, times=1)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    from aqueduct_provider.ui.flow_page import flow_page
    from aqueduct_provider.ui.flows_page import flows_page
    from aqueduct_provider.ui.html import Visit
    from aqueduct_provider.ui.run_page import run_page

    rows = flow_rows(sizes)
    ids = list_rows(rows, sizes)
    with stored(lab, sizes) as store:
        newest = previewed_run(rows, store, sizes)
        return [
            figure(
                f"flow with {sizes.runs:,} runs of {sizes.operators} operators: page of {count} runs",
                lambda count=count: flow_page(
                    Visit(rows.database, "/dags/big", names={"dag_id": "big"}, query={"runs": str(count)})
                ),
                sizes.times,
                target=count == 50,
            )
            for count in (50, 500)
        ] + [
            figure(
                f"run of {sizes.operators} operators",
                lambda: run_page(
                    Visit(rows.database, "/dags/big/runs/r", names={"dag_id": "big", "run_id": newest})
                ),
                sizes.times,
                has=b"200 rows",
            ),
            figure(
                f"first page of the list of {sizes.flows:,} flows",
                lambda: flows_page(
                    Visit(rows.database, readable=lambda: ids, may_read_values=lambda _dag_id: True)
                ),
                sizes.times,
            ),
        ]


def figure(what: str, page: Any, times: int, *, target: bool = True, has: bytes = b"") -> Figure:
    """Measure a page, the first time left out: it reads templates, and what stays in memory.

    :param has: what must be on it.
    """
    series = Series()
    for _ in range(times + 1):
        with series.timed():
            shown = page()
        # Another one would be the apology of a store that is away.
        assert shown.status == 200
        assert b"cannot be read" not in shown.body
        assert b"Only what Airflow" not in shown.body
        assert has in shown.body
    text = f"below {LIMIT:g} s" if target else ""
    is_below = not target or series.warm.median < LIMIT
    return Figure(what, str(series.warm), "", duration(series.warm.median), text, is_below)


def flow_rows(sizes: Sizes) -> AirflowRows:
    """A database with one big flow."""
    from aqueduct_provider.sdk.publishing.flow_names import flow_id_of

    rows = AirflowRows()
    operators = [operator_json(name, kind) for name, kind in _names(sizes)]
    rows.dag("big", attributes(operators, id=flow_id_of("big"), store={"connection_id": "x"}), name="big")
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for number in range(sizes.runs):
        run_id = rows.run("big")
        rows.tasks("big", run_id, {one["task_id"]: manifest(number / 7) for one in operators}, moment)
    return rows


def previewed_run(rows: AirflowRows, store: ObjectStore, sizes: Sizes) -> str:
    """Write a run of the big flow whose functions left tables with previews; return its id."""
    import pandas as pd

    from aqueduct_provider.runner.table_preview import table_preview
    from aqueduct_provider.sdk.publishing.flow_names import flow_id_of
    from aqueduct_provider.storage.layout import NativeLayout

    columns = {f"column {number}": [one * number / 7 for one in range(200)] for number in range(10)}
    facts = {"preview": table_preview(pd.DataFrame(columns), ""), "python_type": "pandas.DataFrame"}
    metadata = json.dumps(facts).encode()
    run_id = rows.run("big")
    layout = NativeLayout(flow_id_of("big"), run_id)
    left = {}
    for name, kind in _names(sizes):
        found = manifest(
            0.5, spec={"sha256": hashlib.sha256(_spec(sizes)).hexdigest(), "version": VERSION_ID}
        )
        own = {"key": layout.content(f"{name}-id"), "metadata_key": layout.metadata(f"{name}-id")}
        if kind == "function":
            own |= {"artifact_type": "table", "metadata_sha256": hashlib.sha256(metadata).hexdigest()}
            store.put(own["metadata_key"], metadata)
        found["artifacts"] = {f"{name}-id": found["artifacts"]["id"] | own}
        left[name] = found
    rows.tasks("big", run_id, left, datetime(2026, 1, 1, tzinfo=timezone.utc))
    return run_id


def list_rows(rows: AirflowRows, sizes: Sizes) -> set[str]:
    """Write the flows of the list, each with five runs of three operators."""
    operators = [operator_json(name, kind) for name, kind in _names(Sizes(0, 3, 1, 0, 0))]
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    ids = {f"flow_{number:04}" for number in range(sizes.flows)}
    for dag_id in sorted(ids):
        rows.dag(dag_id, attributes(operators, name=dag_id), name=dag_id)
        for _ in range(5):
            run_id = rows.run(dag_id)
            rows.tasks(dag_id, run_id, {one["task_id"]: manifest(0.5) for one in operators}, moment)
    return ids


@contextmanager
def stored(lab: Lab, sizes: Sizes) -> Iterator[ObjectStore]:
    """Put the flow's spec and record into a store, and give it to the pages."""
    from unittest.mock import patch

    from aqueduct_provider.sdk.publishing.flow_names import flow_id_of
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.storage.layout import FlowLayout, published
    from aqueduct_provider.ui import reading

    store = store_of(lab.bucket())
    flow_id = flow_id_of("big")
    store.put(FlowLayout(flow_id).version(VERSION_ID), _spec(sizes))
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    record = FlowRecord(flow_id, "big", "big", VERSION_ID, moment, "x", "", "")
    store.put(published("big"), record.to_json())
    with patch.object(reading, "page_store", lambda *_arguments: store):
        yield store


def _spec(sizes: Sizes) -> bytes:
    from aqueduct_provider.sdk.publishing.flow_names import flow_id_of

    names = _names(sizes)
    document = native_document(
        artifacts=[{"id": f"{name}-id", "name": f"{name} artifact", "type": "untyped"} for name, _ in names],
        operators=[call_operator(name, kind, inputs=[], outputs=[f"{name}-id"]) for name, kind in names],
        parameters=[],
    )
    document["flow"] |= {"id": flow_id_of("big")}
    return json.dumps(document).encode()


def _names(sizes: Sizes) -> list[tuple[str, str]]:
    kinds = ["metric"] * sizes.metrics + ["check"] * sizes.metrics
    kinds += ["function"] * (sizes.operators - len(kinds))
    return [(f"{kind}_{place}", kind) for place, kind in enumerate(kinds)]
