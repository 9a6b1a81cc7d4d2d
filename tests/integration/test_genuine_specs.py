"""Specs that the original's server emitted, run: with functions and values of the shapes that they expect."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.sdk.resources.demo import make_demo
from tests.genuine import document_of
from tests.integration.compiled_draft import Json, storage_config
from tests.integration.flow_place import Place
from tests.oracle.harness import Oracle

ROOT = "genuine"
# Function of the spec -> its body.
PARAMETERS = {
    "use": "return [repr(value) for value in inputs]",
    "implicit": "return '-'.join(inputs)",
}
DEFAULTS: dict[str, bytes] = {
    "flag": b"true",
    "implicit_x": b"x",
    "implicit_y": b"y",
    "json_text": b'{"a": 1}',
    "list_of_values": b"[1, 2]",
    "number": b"7",
    "pair": b"[1, 2]",
    "raw": b"\x00\xff",
    "settings": b'{"depth": 3}',
    "table_param": b'{"schema": {"fields": [{"name": "n", "type": "integer"}], "pandas_version": "1.4.0"}, '
    b'"data": [{"n": 1}]}',
    "word": b"word",
}


def upload_functions(place: Place, oracle: Oracle, document: Json, bodies: dict[str, str]) -> None:
    """Put the archives where the spec has them, packaged by the original under the operators' names."""
    for task_id, body in bodies.items():
        archive = oracle.package(f"def predict(*inputs):\n    {body}\n", name=task_id)
        key = document["task_specs"][task_id]["function_path"]
        place.s3.put_object(Bucket=place.bucket, Key=f"{ROOT}/{key}", Body=archive)


def output(place: Place, document: Json, task_id: str, run_id: str) -> Any:
    (key,) = document["task_specs"][task_id]["output_content_paths"]
    return place.get_json(f"{ROOT}/{key}_{run_id}")


@pytest.fixture(scope="module")
def parameters(place: Place, oracle: Oracle) -> Iterator[Json]:
    document = document_of("params", storage_config=storage_config(place, ROOT))
    upload_functions(place, oracle, document, PARAMETERS)
    for task_id, data in DEFAULTS.items():
        key = document["task_specs"][task_id]["output_content_path"]
        place.s3.put_object(Bucket=place.bucket, Key=f"{ROOT}/{key}", Body=data)
    with place.dropped(document):
        yield document


def test_a_value_at_trigger_time_under_the_name_that_users_know(place: Place, parameters: Json) -> None:
    run_id = place.client.trigger("Parameters", {"number": 20})
    assert place.client.wait("Parameters", run_id, seconds=180) == "success"
    number, word, *_ = output(place, parameters, "use", run_id)
    assert (number, word) == ("20", "'word'")
    key = parameters["task_specs"]["implicit"]["output_content_paths"][0]
    assert place.get(f"{ROOT}/{key}_{run_id}") == b"x-y"


def test_an_unknown_name_is_refused(place: Place, parameters: Json) -> None:
    run_id, state = place.run("Parameters", {"nmber": 20})
    assert state == "failed"
    key = parameters["task_specs"]["number"]["metadata_path"]
    error = place.get_json(f"{ROOT}/{key}_{run_id}")["error"]
    assert "the flow has no parameter of this name, did you mean 'number'?" in json.dumps(error)


def result_of(place: Place, oracle: Oracle, document: Json, bodies: dict[str, str], task_id: str) -> Any:
    """Run the flow once, with functions of these bodies; what the task returned."""
    upload_functions(place, oracle, document, bodies)
    with place.dropped(document) as dag_id:
        run_id = place.client.trigger(dag_id)
        assert place.client.wait(dag_id, run_id, seconds=180) == "success"
        return output(place, document, task_id, run_id)


def test_ids_of_underscores_run_and_unlisted_packages_are_there(place: Place, oracle: Oracle) -> None:
    document = document_of("odd_names", storage_config=storage_config(place, ROOT))
    bodies = {
        "m__trique_n___1_____": "import pandas; return pandas.DataFrame({'a': [1.0, 3.0]})",
        "100_": "return float(inputs[0]['a'].mean())",
    }
    assert result_of(place, oracle, document, bodies, "100_") == 2.0


def test_several_outputs_and_an_operator_named_like_a_module(place: Place, oracle: Oracle) -> None:
    document = document_of("multi_output", storage_config=storage_config(place, ROOT))
    # The archive then holds string.py, with the indentation of this file.
    document = json.loads(json.dumps(document).replace('"join"', '"string"'))
    bodies = {
        "two": "return 10, 4",
        "divide": "return divmod(inputs[0], 3)",
        "string": "import string; return [string.digits, *inputs]",
    }
    assert result_of(place, oracle, document, bodies, "string") == ["0123456789", 10, 4, 1, 1]


def test_queries_and_a_load_on_sqlite(place: Place, oracle: Oracle, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.db"
    make_demo(warehouse)
    document = document_of("sql", storage_config=storage_config(place, ROOT), warehouse=str(warehouse))
    for task_id, value in (("nationality", b" United Kingdom "), ("table_name", b"british_reviews")):
        key = document["task_specs"][task_id]["output_content_path"]
        place.s3.put_object(Bucket=place.bucket, Key=f"{ROOT}/{key}", Body=value)
    bodies = {
        "count": "return [len(table) for table in inputs]",
        "summary": "return inputs[0].describe()",
    }
    counts = result_of(place, oracle, document, bodies, "count")
    with closing(sqlite3.connect(warehouse)) as database:
        (saved,) = database.execute("SELECT count(*) FROM british_reviews").fetchone()
        (sexes,) = database.execute("SELECT count(DISTINCT sex) FROM tips WHERE size > 2").fetchone()
    assert saved > 0
    assert counts == [saved, sexes, 1]
