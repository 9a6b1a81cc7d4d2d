"""The same compiled flow run by the original and by us: the same objects, and each reads the other's.

Here the whole worker side runs (S3, credentials file, exec states, metadata), not only the runner.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AqueductError
from aqueduct_provider.hooks.aqueduct import store_for
from aqueduct_provider.spec.graph import order
from aqueduct_provider.spec.loader import parse
from tests.oracle.harness import Oracle, Store
from tests.support.example_specs import compiled_document, function_task, param_task, system_metric_task
from tests.support.flow_runs import LocalRun

pytestmark = pytest.mark.oracle

OURS, THEIRS = "manual__2026-01-01T00:00:00+00:00", "manual__2026-01-02T00:00:00+00:00"
MEASURED = {"runtime", "max_memory"}
CODE = {
    "features": (
        "import pandas as pd\ndef predict(n):\n    print('rows', n)\n    return pd.DataFrame({'x': range(n)})"
    ),
    "train": "def predict(table):\n    return {'weights': {1, 2, len(table)}}",
    "size": "def predict(model):\n    return len(model['weights'])",
    "large_enough": "def predict(size):\n    return size >= 3",
    "never": "def predict(size):\n    print('no')\n    return False",
    "fails": "def predict(size):\n    print('before')\n    raise ValueError('wröng')",
    "wrong_type": "def predict(size):\n    return 'text'",
}


@pytest.fixture
def document(oracle: Oracle, store: Store) -> dict[str, Any]:
    """A flow with every operator type that runs code, and every way to end; its code by the original SDK."""
    for name, source in CODE.items():
        store.put(f"{name}-function", oracle.package(source, name=name))
    store.put("n-content", b"5")
    tasks = {
        "n": param_task("n"),
        "features": function_task("features", inputs=["n"], type_="table"),
        "train": function_task("train", inputs=["features"], type_="dictionary"),
        "size": function_task("size", inputs=["train"], operator="metric", type_="numeric"),
        "large_enough": function_task("large_enough", inputs=["size"], operator="check", type_="boolean"),
        "never": function_task(
            "never", inputs=["size"], operator="check", type_="boolean", severity="warning"
        ),
        "fails": function_task("fails", inputs=["size"]),
        "wrong_type": function_task("wrong_type", inputs=["size"], type_="numeric"),
        "train_runtime": system_metric_task("train_runtime", input_="train"),
    }
    return compiled_document(
        storage_config=store.config,
        dag_id="flow",
        cron_schedule="",
        task_specs={task_id: {**task, "storage_config": store.config} for task_id, task in tasks.items()},
        task_edges={},
    )


def _run_theirs(oracle: Oracle, document: dict[str, Any], folder: Path, tasks: list[str]) -> None:
    for task_id in tasks:
        spec = json.loads(json.dumps(document["task_specs"][task_id]))
        for field, value in spec.items():
            if field.endswith("_path") and field not in ("function_path", "function_extract_path"):
                spec[field] = f"{value}_{THEIRS}"
            elif field.endswith("_paths"):
                spec[field] = [f"{path}_{THEIRS}" for path in value]
        if spec["type"] == "function":
            spec["function_extract_path"] = str(folder / task_id)
        oracle.execute(spec)


def _run_ours(document: dict[str, Any], folder: Path) -> LocalRun:
    spec = parse(json.dumps(document).encode(), "flow.json")
    run = LocalRun(spec, store_for(spec), folder, run_id=OURS)
    for task_id in order(spec):
        try:
            run.run(task_id)
        except AqueductError:
            continue
    return run


@pytest.fixture
def both(
    oracle: Oracle,
    document: dict[str, Any],
    store: Store,
    tmp_path: Path,
    s3_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Store:
    """The store after both sides have run the flow."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server)
    run = _run_ours(document, tmp_path / "ours")
    # The original's Airflow tasks read the parameter at the run's key, where nobody wrote it.
    store.put(f"n-content_{THEIRS}", b"5")
    _run_theirs(oracle, document, tmp_path / "theirs", order(run.spec))
    return store


def _without_measures(metadata: dict[str, Any]) -> dict[str, Any]:
    measured = metadata["system_metadata"]
    assert all(float(value) >= 0 for value in measured.values())
    return {**metadata, "system_metadata": sorted(measured)}


def test_both_leave_the_same_objects(both: Store) -> None:
    keys = [item["Key"] for item in both.client.list_objects_v2(Bucket=both.bucket)["Contents"]]
    ours = {key.removesuffix(f"_{OURS}") for key in keys if key.endswith(OURS)}
    theirs = {key.removesuffix(f"_{THEIRS}") for key in keys if key.endswith(THEIRS)}
    assert ours == theirs

    for key in sorted(ours):
        mine, original = both.get(f"{key}_{OURS}"), both.get(f"{key}_{THEIRS}")
        if key.endswith("-metadata"):
            assert _without_measures(json.loads(mine)) == _without_measures(json.loads(original)), key
        elif key.endswith("-state"):
            _compare_states(key, json.loads(mine), json.loads(original))
        elif key != "train_runtime-content" and key != "train-content":
            assert mine == original, key
    assert float(both.get(f"train_runtime-content_{OURS}")) >= 0


def _compare_states(key: str, mine: dict[str, Any], original: dict[str, Any]) -> None:
    assert (mine["status"], mine["failure_type"]) == (original["status"], original["failure_type"]), key
    assert mine["user_logs"] == original["user_logs"], key
    assert (mine["error"] is None) == (original["error"] is None), key
    if key == "fails-state":
        assert mine["error"]["context"].strip().splitlines()[-1] == "ValueError: wröng"
        assert "ValueError: wröng" in original["error"]["context"]


def test_each_side_unpickles_what_the_other_wrote(
    oracle: Oracle, document: dict[str, Any], both: Store, tmp_path: Path
) -> None:
    mine, original = both.get(f"train-content_{OURS}"), both.get(f"train-content_{THEIRS}")
    both.put(f"train-content_{THEIRS}", mine)
    _run_theirs(oracle, document, tmp_path / "again", ["size"])
    assert both.get(f"size-content_{THEIRS}") == b"3"

    spec = parse(json.dumps(document).encode(), "flow.json")
    run = LocalRun(spec, store_for(spec), tmp_path / "ours", run_id=OURS)
    for task_id in ("n", "features", "train"):
        run.run(task_id)
    ref = run.manifests["train"].artifacts["train-content"]
    both.put(ref.key, original)
    run.manifests["train"] = dataclasses.replace(
        run.manifests["train"],
        artifacts={"train-content": dataclasses.replace(ref, sha256=hashlib.sha256(original).hexdigest())},
    )
    run.run("size")
    assert both.get(f"size-content_{OURS}") == b"3"
