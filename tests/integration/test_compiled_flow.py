"""A compiled spec whose functions the original SDK packaged runs, and the original reads what it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.compiled_draft import CompiledDraft, Json, storage_config
from tests.integration.flow_place import Place
from tests.integration.waiting import wait_for
from tests.oracle.harness import Oracle

SOURCES = {
    "measure": """
        import pandas as pd
        return pd.DataFrame({"city": ["Zürich", "Wien"], "height": [408.0, 190.0]})
    """,
    "scale": """
        print("scaled by", inputs[1])
        return inputs[0].assign(height=inputs[0]["height"] * inputs[1])
    """,
    "mean_height": "return float(inputs[0]['height'].mean())",
    "above_sea": "return inputs[0] > 0",
    "above_clouds": "return inputs[0] > 1_000_000",
    "read_all": "return {str(number): repr(value) for number, value in enumerate(inputs)}",
}
ARTIFACTS = ("factor", "measured", "scaled", "mean", "dry", "cloudy", "took")
# Of the cron expression, the time of one run and of what runs beside it.
SCHEDULE_SECONDS = 150


@dataclass(frozen=True)
class Compiled:
    """The flow twice: on demand, and by schedule."""

    manual: str
    scheduled: CompiledDraft
    storage_config: Json


@pytest.fixture(scope="module")
def flow(place: Place, oracle: Oracle) -> Iterator[Compiled]:
    for name, body in SOURCES.items():
        requirements = ["pandas"] if "pandas" in body else []
        archive = oracle.package(f"def predict(*inputs):{body}\n", name=name, requirements=requirements)
        place.s3.put_object(Bucket=place.bucket, Key=f"compiled/{name}", Body=archive)
    config = storage_config(place, "compiled")
    place.s3.put_object(Bucket=place.bucket, Key="compiled/factor", Body=b"2")
    manual = draft("Höhen, compiled", config)
    scheduled = draft("compiled by schedule", config, "* * * * *")
    with place.dropped(manual.document()):
        yield Compiled(manual.dag_id, scheduled, config)


def draft(name: str, config: Json, cron_schedule: str = "") -> CompiledDraft:
    flow = CompiledDraft(name, config, cron_schedule)
    flow.param("factor", "numeric", "json", "factor")
    flow.function("measure", "measure", [], {"measured": "table"})
    flow.function("scale", "scale", ["measured", "factor"], {"scaled": "table"})
    flow.function("mean height", "mean_height", ["scaled"], {"mean": "numeric"}, operator_type="metric")
    checks: Json = {"operator_type": "check"}
    flow.function("above sea", "above_sea", ["mean"], {"dry": "boolean"}, **checks, check_severity="error")
    flow.function(
        "above clouds", "above_clouds", ["mean"], {"cloudy": "boolean"}, **checks, check_severity="warning"
    )
    flow.system_metric("took", "runtime", "scaled", "took")
    return flow


@pytest.mark.parametrize(("conf", "factor"), [({}, 2), ({"factor": 10}, 10)])
def test_a_run_leaves_what_the_original_reads(
    place: Place, oracle: Oracle, flow: Compiled, conf: dict[str, float], factor: float
) -> None:
    run_id = place.client.trigger(flow.manual, conf)
    assert place.client.wait(flow.manual, run_id, seconds=150) == "success"
    assert set(place.client.states(flow.manual, run_id).values()) == {"success"}
    check_objects(place, run_id, factor)
    values = read_by_the_original(place, oracle, flow, run_id)
    assert "Zürich" in values["measured"]
    assert values["factor"] == str(factor)
    assert values["mean"] == str(299.0 * factor)
    assert (values["dry"], values["cloudy"]) == ("True", "False")
    assert float(values["took"]) > 0


def test_the_schedule_starts_runs(place: Place, flow: Compiled) -> None:
    def succeeded() -> list[str]:
        runs = place.client.runs(flow.scheduled.dag_id)
        return [run_id for run_id, run in runs.items() if run["state"] == "success"]

    with place.dropped(flow.scheduled.document()):
        (run_id, *_) = wait_for(succeeded, what="a scheduled run", seconds=SCHEDULE_SECONDS)
    assert run_id.startswith("scheduled__")
    check_objects(place, run_id, factor=2)


def check_objects(place: Place, run_id: str, factor: float) -> None:
    """Every object of a run is there, is named by the run, and holds what it must."""
    suffix = f"_{run_id}"
    written = {key for key in place.keys("compiled/") if key.endswith(suffix)}
    tasks = ("factor", "measure", "scale", "mean_height", "above_sea", "above_clouds", "took")
    names = [*ARTIFACTS, *(f"{name}.meta" for name in ARTIFACTS), *(f"state-{task}" for task in tasks)]
    assert written == {f"compiled/{name}{suffix}" for name in names}

    def read(name: str) -> Any:
        return place.get_json(f"compiled/{name}{suffix}")

    assert [(read(name), read(f"{name}.meta")["artifact_type"]) for name in ("factor", "mean", "dry")] == [
        (factor, "numeric"),
        (299 * factor, "numeric"),
        (True, "boolean"),
    ]
    assert read("cloudy") is False
    assert [row["height"] for row in read("scaled")["data"]] == [408 * factor, 190 * factor]
    assert read("scaled.meta")["serialization_type"] == "table"
    assert float(read("scaled.meta")["system_metadata"]["runtime"]) == pytest.approx(read("took"))
    assert read("state-scale")["user_logs"]["stdout"] == f"scaled by {factor}\n"
    states = {
        task: (read(f"state-{task}")["status"], read(f"state-{task}")["failure_type"]) for task in tasks
    }
    assert states == {**dict.fromkeys(tasks, ("succeeded", None)), "above_clouds": ("failed", 3)}


def read_by_the_original(place: Place, oracle: Oracle, flow: Compiled, run_id: str) -> dict[str, str]:
    """The ``repr`` of every artifact of a run, as a function in the original gets it."""
    reader = CompiledDraft("reader", flow.storage_config)
    keys = [f"{name}_{run_id}" for name in ARTIFACTS]
    metadata = [f"{name}.meta_{run_id}" for name in ARTIFACTS]
    changes = {"input_content_paths": keys, "input_metadata_paths": metadata}
    unpacked = str(oracle.folder / "reader")
    reader.function(
        "read all", "read_all", [], {"read": "dictionary"}, **changes, function_extract_path=unpacked
    )
    ran = oracle.execute(reader.tasks["read_all"])
    state = place.get_json("compiled/state-read_all")
    assert state["status"] == "succeeded", (state, ran.stderr)
    values: dict[str, str] = json.loads(place.get("compiled/read"))
    return {name: values[str(number)] for number, name in enumerate(ARTIFACTS)}
