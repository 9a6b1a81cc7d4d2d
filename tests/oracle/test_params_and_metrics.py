"""Parameters and system metrics: the original's executors and ours."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from tests.oracle.harness import Oracle, Store, TaskSpecs
from tests.oracle.ours import run_ours

pytestmark = pytest.mark.oracle

CONTAINER = {"aqueduct_serialization_types": ["string", "json"], "data": [b"s", b"3"], "is_tuple": True}


@pytest.mark.parametrize(
    ("expected", "serialization_type", "data"),
    [
        ("string", "string", b"abc"),
        ("json", "string", b"[1]"),
        ("numeric", "json", b"3"),
        ("numeric", "json", b"NaN"),
        ("boolean", "json", b"true"),
        ("list", "json", b"[1]"),
        ("tuple", "json", b"[1]"),
        ("dictionary", "json", b'{"a": 1}'),
        ("bytes", "bytes", b"x"),
        ("picklable", "pickle", b"\x80\x05N."),
    ],
)
def test_values_of_the_right_type(
    oracle: Oracle,
    store: Store,
    specs: TaskSpecs,
    tmp_path: Path,
    expected: str,
    serialization_type: str,
    data: bytes,
) -> None:
    store.put("out", data)
    spec = specs.param(expected, serialization_type)
    oracle.execute(spec)
    ours = run_ours(spec, store, tmp_path)
    assert ours.objects["out"] == store.get("out") == data
    theirs = store.get_json("out.meta")
    assert theirs.pop("system_metadata") == {}
    assert ours.metadata() == theirs
    assert store.get_json("state") == {
        "user_logs": {"stdout": "", "stderr": ""},
        "status": "succeeded",
        "failure_type": None,
        "error": None,
    }


@pytest.mark.parametrize(
    ("expected", "data", "words"),
    [
        ("numeric", b"true", ("NUMERIC", "BOOL")),
        ("boolean", b"1", ("BOOL", "NUMERIC")),
        ("dictionary", b"[1]", ("DICT", "LIST")),
    ],
)
def test_values_of_the_wrong_type(
    oracle: Oracle,
    store: Store,
    specs: TaskSpecs,
    tmp_path: Path,
    expected: str,
    data: bytes,
    words: tuple[str, str],
) -> None:
    store.put("out", data)
    spec = specs.param(expected, "json")
    oracle.execute(spec)
    state = store.get_json("state")
    ours = run_ours(spec, store, tmp_path)
    assert (state["failure_type"], ours.failure.kind, ours.failure.context) == (2, "user", "")
    for word in words:
        assert word in state["error"]["tip"]
        assert word.lower() in ours.failure.tip


def test_a_pickled_tuple(oracle: Oracle, store: Store, specs: TaskSpecs, tmp_path: Path) -> None:
    store.put("out", pickle.dumps(CONTAINER))
    spec = specs.param("tuple", "pickle")
    oracle.execute(spec)
    assert store.get_json("state")["status"] == "succeeded"
    ours = run_ours(spec, store, tmp_path)
    # A tuple that JSON can hold is stored as JSON.
    assert ours.objects["out"] == b'["s", 3]'
    assert ours.metadata()["artifact_type"] == "tuple"


def test_a_string_parameter_whose_text_is_json_works_where_the_original_refuses(
    oracle: Oracle, store: Store, specs: TaskSpecs, tmp_path: Path
) -> None:
    store.put("out", b"2024")
    spec = specs.param("string", "string")
    oracle.execute(spec)
    assert store.get_json("state")["failure_type"] == 2
    ours = run_ours(spec, store, tmp_path)
    assert ours.objects["out"] == b"2024"
    assert ours.metadata()["artifact_type"] == "string"


@pytest.mark.parametrize(("metric", "value"), [("runtime", b"0.5"), ("max_memory", b"12.25")])
def test_what_a_system_metric_reads_and_writes(
    oracle: Oracle, store: Store, specs: TaskSpecs, metric: str, value: bytes
) -> None:
    measured = {"runtime": "0.5", "max_memory": "12.25"}
    store.put("in.meta", json.dumps({"system_metadata": measured}).encode())
    oracle.execute(specs.system_metric(metric, "in"))
    assert store.get("out") == value
    assert store.get_json("out.meta") == {
        "schema": [],
        "system_metadata": {},
        "artifact_type": "numeric",
        "serialization_type": "json",
        "python_type": "float",
    }


def test_the_units_of_what_is_measured(oracle: Oracle, store: Store, specs: TaskSpecs) -> None:
    source = "import time\ndef predict():\n    time.sleep(0.3)\n    return len(bytearray(30_000_000))\n"
    store.put("code.zip", oracle.package(source))
    oracle.execute(specs.function("code.zip"))
    measured = store.get_json("out.meta")["system_metadata"]
    assert 0.3 <= float(measured["runtime"]) < 30
    assert 30 <= float(measured["max_memory"]) < 40
