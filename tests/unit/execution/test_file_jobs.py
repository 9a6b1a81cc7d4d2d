"""Extract and load of files: what is read, where it goes, and in which environment."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.errors import OperatorFailed, is_retryable
from aqueduct_provider.storage.local import LocalStore
from tests.support.flow_runs import LocalRun
from tests.unit.execution.conftest import Asked, Desk

Function = Callable[..., dict[str, Any]]


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
    assert desk.metadata("out")["encoding"] == "parquet/v3"


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


@pytest.mark.parametrize(
    ("source", "extra", "requirements"),
    [
        ("def predict(): return b'x'", {}, ("cloudpickle",)),
        ("def predict(): return {1, 2}", {}, ("six", "cloudpickle")),
        (
            "import pandas as pd\ndef predict(): return pd.DataFrame({'a': [1]})",
            {"format": "CSV"},
            ("six", "cloudpickle", "pandas", "pyarrow"),
        ),
    ],
)
def test_what_may_hold_pickles_is_loaded_where_its_maker_runs(
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


@pytest.mark.parametrize("connector", ["S3", "GCS"])
def test_files_come_from_and_go_to_the_store_of_the_operator(desk: Desk, connector: str) -> None:
    elsewhere = LocalStore(desk.folder / "elsewhere")
    elsewhere.put("in/a", b"read")
    extract, load = _extract(filepath="in/a", artifact_type="bytes"), _load(["out"], "out/a")
    for part in (extract["source"], load["target"]):
        part |= {"connector": connector, "connection_id": "other"}
    spec = desk.flow(extract, load, types={"out": "bytes"})
    asked: list[str] = []

    def connect(operator: Any) -> LocalStore:
        asked.append(operator.task_id)
        return elsewhere

    LocalRun(spec, desk.store, desk.folder, connect=connect).run()
    assert elsewhere.get("out/a") == b"read"
    assert asked == ["e", "l"]
    assert not desk.store.exists("out/a")


def test_a_placeholder_is_filled_by_text_only(desk: Desk, function: Function) -> None:
    two = function("def predict(): return 1, b'saved'", outputs=["number", "out"])
    spec = desk.flow(two, _load(["number", "out"], "{a}"))
    with pytest.raises(
        OperatorFailed, match="'number' fills a placeholder of the file path and must be a str"
    ):
        LocalRun(spec, desk.store, desk.folder).run()
