"""A flow that was imported from the original's Python file runs, and leaves what the original leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from aqueduct_provider import cli
from tests.integration.compiled_draft import CompiledDraft, storage_config
from tests.integration.flow_place import Place
from tests.oracle.harness import Oracle
from tests.support.airflow_files import airflow_file

ROOT_DIR = "imported"
# None of the archives lists a package. Each holds a file that is named like its operator: string.py, json.py.
SOURCES = {
    "string": """
import json, string
import pandas as pd

def predict(rows):
    print(json.dumps([string.digits, rows]))
    return pd.DataFrame({"city": ["Zürich"] * rows, "height": [float(row) for row in range(rows)]})
""",
    "json": """
import numpy as np

def predict(table):
    return np.mean(table["height"])
""",
    "above zero": "def predict(mean):\n    return mean > 0\n",
}
ARTIFACTS = ("rows", "table", "mean", "above")


@dataclass(frozen=True)
class Flow:
    """The flow in Airflow, and the tasks of which it is made."""

    dag_id: str
    draft: CompiledDraft


@pytest.fixture(scope="module")
def flow(place: Place, oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    for name, source in SOURCES.items():
        archive = oracle.package(source, name=name)
        place.s3.put_object(Bucket=place.bucket, Key=f"{ROOT_DIR}/code-{name}", Body=archive)
    place.s3.put_object(Bucket=place.bucket, Key=f"{ROOT_DIR}/rows", Body=b"3")
    draft = CompiledDraft("Übersicht", storage_config(place, ROOT_DIR))
    draft.param("rows", "numeric", "json", "rows")
    _call(draft, oracle, "string", "rows", {"table": "table"})
    _call(draft, oracle, "json", "table", {"mean": "numeric"}, operator_type="metric")
    check = {"operator_type": "check", "check_severity": "error"}
    _call(draft, oracle, "above zero", "mean", {"above": "boolean"}, **check)
    document = draft.document()
    file = tmp_path_factory.mktemp("original") / "Übersicht_airflow.py"
    file.write_text(airflow_file(document), "utf-8")
    assert cli.main(["import", str(file), "--output", str(place.airflow.dags)]) == 0
    try:
        yield Flow(place.seen("__bersicht", document["workflow_dag_id"]), draft)
    finally:
        (place.airflow.dags / "__bersicht.json").unlink()


def _call(
    draft: CompiledDraft, oracle: Oracle, name: str, source: str, outputs: dict[str, str], **changes: Any
) -> None:
    unpacked = str(oracle.folder / "imported" / name)
    draft.function(name, f"code-{name}", [source], outputs, function_extract_path=unpacked, **changes)


def test_a_run_leaves_the_objects_of_the_original(place: Place, oracle: Oracle, flow: Flow) -> None:
    run_id = place.client.trigger(flow.dag_id, {})
    assert place.client.wait(flow.dag_id, run_id, seconds=240) == "success"
    for task in flow.draft.tasks.values():
        ran = oracle.execute(task)
        assert ran.returncode == 0, ran.stderr
    states = [f"state-{key}" for key in flow.draft.tasks]
    names = [*ARTIFACTS, *(f"{name}.meta" for name in ARTIFACTS), *states]
    left = {key for key in place.keys(f"{ROOT_DIR}/") if key.endswith(run_id)}
    assert left == {f"{ROOT_DIR}/{name}_{run_id}" for name in names}
    for name in ARTIFACTS:
        assert _ours(place, name, run_id) == _original(place, name)
        metadata = f"{name}.meta"
        assert _facts(_ours(place, metadata, run_id)) == _facts(_original(place, metadata))
    for name in states:
        assert json.loads(_ours(place, name, run_id)) == json.loads(_original(place, name))
    assert json.loads(_ours(place, "mean", run_id)) == 1


def test_a_parameter_is_named_by_its_task(place: Place, flow: Flow) -> None:
    run_id = place.client.trigger(flow.dag_id, {"rows": 5})
    assert place.client.wait(flow.dag_id, run_id, seconds=240) == "success"
    assert json.loads(_ours(place, "mean", run_id)) == 2


def _ours(place: Place, name: str, run_id: str) -> bytes:
    return place.get(f"{ROOT_DIR}/{name}_{run_id}")


def _original(place: Place, name: str) -> bytes:
    return place.get(f"{ROOT_DIR}/{name}")


def _facts(metadata: bytes) -> Any:
    """Metadata without what was measured."""
    read = json.loads(metadata)
    return {**read, "system_metadata": sorted(read["system_metadata"])}
