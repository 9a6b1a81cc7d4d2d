"""What each operator type reads and leaves, through the whole path with real children."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.environment.fingerprint import EnvironmentSpec
from aqueduct_provider.errors import DigestMismatch, OperatorFailed, is_retryable
from aqueduct_provider.spec.loader import parse
from tests.examples import compiled_document, param_task
from tests.flows import RUN_ID, LocalRun, own_python
from tests.unit.execution.conftest import Desk

Function = Callable[..., dict[str, Any]]


def _param(desk: Desk, type_: str, default: dict[str, Any]) -> LocalRun:
    spec = desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["out"]},
        types={"out": type_},
        parameters=({"name": "n", "type": type_, "default": default},),
    )
    return LocalRun(spec, desk.store, desk.folder)


@pytest.mark.parametrize(
    ("type_", "default", "given", "content"),
    [
        ("numeric", 5, None, b"5"),
        ("numeric", 5, 7, b"7"),
        ("boolean", True, False, b"false"),
        ("string", "a", "grün {{ today }}", "grün {{ today }}".encode()),
        ("dictionary", {}, {"a": [1]}, b'{"a": [1]}'),
        ("tuple", [1, 2], [3], b"[3]"),
        ("json", "{}", '{"a": 1}', b'{"a": 1}'),
    ],
)
def test_a_parameter_is_the_runs_value_or_the_default(
    desk: Desk, type_: str, default: Any, given: Any, content: bytes
) -> None:
    run = _param(desk, type_, {"value": default})
    run.params = {"n": given}
    run.run()
    assert desk.content("out") == content
    assert desk.metadata("out")["artifact_type"] == type_
    assert desk.metadata("out")["system_metadata"] == {}


def test_a_value_of_the_wrong_type_is_user_fatal_and_names_both_types(desk: Desk) -> None:
    run = _param(desk, "numeric", {"value": 5})
    run.params = {"n": "text"}
    with pytest.raises(OperatorFailed, match=r"(?s)numeric.*string|string.*numeric") as caught:
        run.run()
    assert not is_retryable(caught.value)
    assert desk.state("p")["failure_type"] == 2


def _stored(data: bytes) -> dict[str, Any]:
    return {
        "key": "parameters/n",
        "serialization_type": "pickle",
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def test_a_stored_default_is_verified_and_used(desk: Desk) -> None:
    data = pickle.dumps({1, 2})
    desk.store.put("parameters/n", data)
    _param(desk, "picklable", _stored(data)).run()
    assert pickle.loads(desk.content("out")) == {1, 2}


def test_a_stored_default_that_was_changed_is_refused(desk: Desk) -> None:
    desk.store.put("parameters/n", b"evil")
    with pytest.raises(DigestMismatch):
        _param(desk, "picklable", _stored(pickle.dumps({1, 2}))).run()


@pytest.mark.parametrize(
    ("run_value", "given", "content"), [(None, None, b"1"), (b"2", None, b"2"), (b"2", 3, b"3")]
)
def test_a_compiled_parameter_is_given_then_run_scoped_then_published(
    desk: Desk, run_value: bytes | None, given: int | None, content: bytes
) -> None:
    document = compiled_document(task_specs={"n": param_task("n")}, task_edges={})
    desk.store.put("n-content", b"1")
    if run_value is not None:
        desk.store.put(f"n-content_{RUN_ID}", run_value)
    spec = parse(json.dumps(document).encode(), "flow.json")

    LocalRun(spec, desk.store, desk.folder, params={"n": given}).run()

    assert desk.store.get(f"n-content_{RUN_ID}") == content
    metadata = json.loads(desk.store.get(f"n-metadata_{RUN_ID}"))
    assert set(metadata) == {
        "schema",
        "system_metadata",
        "artifact_type",
        "serialization_type",
        "python_type",
    }
    state = json.loads(desk.store.get(f"n-state_{RUN_ID}"))
    assert state["status"] == "succeeded"
    assert set(state) == {"user_logs", "status", "failure_type", "error"}


@pytest.mark.parametrize("metric", ["runtime", "max_memory"])
def test_a_system_metric_is_what_was_measured(desk: Desk, function: Function, metric: str) -> None:
    measure = {
        "task_id": "m",
        "type": "system_metric",
        "metric": metric,
        "inputs": ["out"],
        "outputs": ["measured"],
    }
    run = LocalRun(
        desk.flow(function("def predict(): return 1"), measure, types={"measured": "numeric"}),
        desk.store,
        desk.folder,
    )
    run.run()
    expected = float(desk.metadata("out")["system_metadata"][metric])
    assert json.loads(desk.content("measured")) == expected
    assert desk.metadata("measured")["artifact_type"] == "numeric"


def test_only_functions_are_measured(desk: Desk) -> None:
    spec = desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["out"]},
        {"task_id": "m", "type": "system_metric", "metric": "runtime", "inputs": ["out"], "outputs": ["m"]},
        types={"out": "numeric", "m": "numeric"},
        parameters=({"name": "n", "type": "numeric", "default": {"value": 1}},),
    )
    with pytest.raises(OperatorFailed, match="There is no runtime of 'out'"):
        LocalRun(spec, desk.store, desk.folder).run()


def test_several_outputs_and_inputs_keep_their_order(desk: Desk, function: Function) -> None:
    first = function("def predict(): return 1, 'two'", outputs=["one", "two"])
    second = {
        "task_id": "g",
        "type": "function",
        "inputs": ["two", "one"],
        "outputs": ["out"],
        "code": desk.code("def predict(*args): return list(args)"),
    }
    LocalRun(desk.flow(first, second), desk.store, desk.folder).run()
    assert json.loads(desk.content("out")) == ["two", 1]


def _extract(**source: Any) -> dict[str, Any]:
    return {
        "task_id": "e",
        "type": "extract",
        "outputs": ["out"],
        "source": {"connector": "S3", **source},
    }


def test_extract_of_one_file_is_its_value(desk: Desk) -> None:
    desk.store.put("in/a.json", b'{"a": 1}')
    LocalRun(desk.flow(_extract(filepath="in/a.json", artifact_type="json")), desk.store, desk.folder).run()
    assert json.loads(desk.content("out")) == {"a": 1}
    assert desk.metadata("out")["artifact_type"] == "json"


def test_extract_of_a_prefix_is_a_tuple_in_key_order(desk: Desk) -> None:
    desk.store.put("in/b", b"second")
    desk.store.put("in/a", b"first")
    run = LocalRun(desk.flow(_extract(filepath="in/", artifact_type="bytes")), desk.store, desk.folder)
    run.run()
    assert desk.metadata("out")["artifact_type"] == "tuple"
    assert desk.content("out").find(b"first") < desk.content("out").find(b"second")


def test_extract_and_merge_tables(desk: Desk) -> None:
    import pandas as pd

    desk.store.put("in/1.csv", b"a,b\n1,x\n")
    desk.store.put("in/2.csv", b"a,b\n2,y\n")
    source = _extract(filepath=["in/1.csv", "in/2.csv"], artifact_type="table", format="CSV", merge=True)
    LocalRun(desk.flow(source, types={"out": "table"}), desk.store, desk.folder).run()
    (desk.folder / "out.parquet").write_bytes(desk.content("out"))
    table = pd.read_parquet(desk.folder / "out.parquet")
    assert table.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert desk.metadata("out")["encoding"] == "parquet/v1"


@pytest.mark.parametrize("filepath", ["in/missing", "missing/"])
def test_a_file_that_is_not_there_is_the_flows_mistake_and_names_it(desk: Desk, filepath: str) -> None:
    run = LocalRun(desk.flow(_extract(filepath=filepath, artifact_type="bytes")), desk.store, desk.folder)
    with pytest.raises(OperatorFailed, match="missing") as caught:
        run.run()
    assert not is_retryable(caught.value)
    assert desk.state("e")["failure_type"] == 2


def _load(inputs: list[str], filepath: str, **target: Any) -> dict[str, Any]:
    return {
        "task_id": "l",
        "type": "load",
        "inputs": inputs,
        "target": {"connector": "S3", "filepath": filepath, **target},
    }


def test_load_fills_its_path_with_string_inputs_and_writes_the_last(desk: Desk) -> None:
    strings = {"day": "2026-01-01", "name": "grün"}
    spec = desk.flow(
        *(
            {"task_id": name, "type": "param", "parameter": name, "outputs": [f"{name}-out"]}
            for name in strings
        ),
        {
            "task_id": "f",
            "type": "function",
            "outputs": ["table"],
            "code": desk.code("import pandas as pd\ndef predict(): return pd.DataFrame({'a': [1]})"),
        },
        _load(["day-out", "name-out", "table"], "out/{date}/{who}.csv", format="CSV"),
        types={"day-out": "string", "name-out": "string", "table": "table"},
        parameters=tuple(
            {"name": name, "type": "string", "default": {"value": value}} for name, value in strings.items()
        ),
    )
    LocalRun(spec, desk.store, desk.folder).run()
    assert b"a" in desk.store.get("out/2026-01-01/grün.csv")
    assert desk.state("l")["status"] == "succeeded"


@pytest.mark.parametrize(
    ("filepath", "key"), [("{a}/{a}.bin", "x/x.bin"), ("{a}/y", "x/y"), ("{a b}/{a b}{{", "x/x{{")]
)
def test_a_placeholder_that_stands_twice_gets_one_value(
    desk: Desk, function: Function, filepath: str, key: str
) -> None:
    spec = desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["n-out"]},
        function("def predict(): return b'saved'"),
        _load(["n-out", "out"], filepath),
        types={"n-out": "string"},
        parameters=({"name": "n", "type": "string", "default": {"value": "x"}},),
    )
    LocalRun(spec, desk.store, desk.folder).run()
    assert desk.store.get(key) == b"saved"


def test_without_string_inputs_braces_are_plain_text(desk: Desk, function: Function) -> None:
    spec = desk.flow(function("def predict(): return b'saved'"), _load(["out"], "{a}.bin"))
    LocalRun(spec, desk.store, desk.folder).run()
    assert desk.store.get("{a}.bin") == b"saved"


@pytest.mark.parametrize("filepath", ["out/{a}/{b}", "out"])
def test_placeholders_and_string_inputs_must_match(desk: Desk, function: Function, filepath: str) -> None:
    parameter = {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["n-out"]}
    spec = desk.flow(
        parameter,
        function("def predict(): return b'x'"),
        _load(["n-out", "out"], filepath),
        types={"n-out": "string"},
        parameters=({"name": "n", "type": "string", "default": {"value": "x"}},),
    )
    with pytest.raises(OperatorFailed, match="placeholders, but 1 string inputs"):
        LocalRun(spec, desk.store, desk.folder).run()
    assert not desk.store.exists("out")


class Asked:
    """Leases the Python of the tests, and remembers what was asked for."""

    def __init__(self) -> None:
        self.requirements: list[tuple[str, ...]] = []

    def __call__(self, spec: EnvironmentSpec, *rest: Any) -> Any:
        self.requirements.append(spec.requirements)
        return own_python()


def test_a_pickled_default_is_read_where_its_reader_runs(desk: Desk) -> None:
    data = pickle.dumps({1, 2})
    desk.store.put("parameters/n", data)
    reader = {
        "task_id": "g",
        "type": "function",
        "inputs": ["out"],
        "outputs": ["out2"],
        "code": {**desk.code("def predict(value): return 1"), "requirements": ["six"]},
    }
    spec = desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["out"]},
        reader,
        types={"out": "picklable"},
        parameters=({"name": "n", "type": "picklable", "default": _stored(data)},),
    )
    asked = Asked()
    LocalRun(spec, desk.store, desk.folder, provide=asked).run("p")
    assert asked.requirements == [("six", "cloudpickle")]


@pytest.mark.parametrize(
    ("source", "extra", "requirements"),
    [
        ("def predict(): return {1, 2}", {}, ("six", "cloudpickle")),
        (
            "import pandas as pd\ndef predict(): return pd.DataFrame({'a': [1]})",
            {"format": "CSV"},
            ("pandas", "pyarrow", "cloudpickle"),
        ),
    ],
)
def test_only_a_pickle_is_loaded_where_its_maker_runs(
    desk: Desk, source: str, extra: dict[str, Any], requirements: tuple[str, ...]
) -> None:
    maker = {
        "task_id": "f",
        "type": "function",
        "outputs": ["out"],
        "code": {**desk.code(source), "requirements": ["six"]},
    }
    asked = Asked()
    spec = desk.flow(maker, _load(["out"], "saved", **extra))
    LocalRun(spec, desk.store, desk.folder, provide=asked).run()
    assert asked.requirements[1] == requirements
