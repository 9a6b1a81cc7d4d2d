"""S3 extract and load: files written by one side are read by the other."""

from __future__ import annotations

import base64
import io
import json
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from aqueduct_provider.runner.file_formats import read_file, write_file
from tests.oracle.harness import Oracle, Store, TaskSpecs
from tests.oracle.ours import run_ours

pytestmark = pytest.mark.oracle

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


def parquet() -> bytes:
    buffer = io.BytesIO()
    TABLE.set_axis([5, 6]).to_parquet(buffer)
    return buffer.getvalue()


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), (10, 20, 30)).save(buffer, "PNG")
    return buffer.getvalue()


FILES = {
    "a.csv": b"a,b\n1,x\n2,y\n",
    "b.csv": b"a,b\n3,z\n",
    "records.json": b'[{"a":1,"b":"x"}]',
    "columns.json": b'{"a":{"0":1}}',
    "a.parquet": parquet(),
    "bad.json": b"{",
    "a.txt": b"hello",
    "image.png": png(),
    "dict.pkl": pickle.dumps({"x": 1}),
    "number.pkl": pickle.dumps(3),
    "text.pkl": pickle.dumps("text"),
    "tuple.pkl": pickle.dumps((1, 2)),
}


def parameters(path: Any, kind: str, table_format: str | None = None, **others: Any) -> dict[str, Any]:
    return {"filepath": json.dumps(path), "artifact_type": kind, "format": table_format, **others}


@pytest.mark.parametrize(
    ("path", "kind", "table_format", "merge"),
    [
        ("a.csv", "table", "CSV", False),
        (["a.csv", "b.csv"], "table", "CSV", True),
        ("records.json", "table", "JSON", False),
        ("columns.json", "table", "JSON", False),
        ("a.parquet", "table", "Parquet", False),
        ("a.txt", "table", "CSV", False),
        ("records.json", "json", None, False),
        ("records.json", "json", None, True),
        ("text.pkl", "string", None, False),
        ("number.pkl", "numeric", None, False),
        ("dict.pkl", "dictionary", None, False),
        ("dict.pkl", "picklable", None, False),
        ("dict.pkl", "bytes", None, False),
        ("tuple.pkl", "tuple", None, False),
        ([], "bytes", None, False),
        (["number.pkl", "number.pkl"], "numeric", None, False),
    ],
)
def test_extracting_gives_the_same_artifact(
    oracle: Oracle,
    store: Store,
    specs: TaskSpecs,
    tmp_path: Path,
    path: Any,
    kind: str,
    table_format: str | None,
    merge: bool,
) -> None:
    for key, data in FILES.items():
        store.put(key, data)
    spec = specs.s3_extract(parameters(path, kind, table_format, merge=merge))
    oracle.execute(spec)
    ours = run_ours(spec, store, tmp_path)
    assert ours.failure is None
    assert ours.objects["out"] == store.get("out")
    theirs = store.get_json("out.meta")
    assert theirs.pop("system_metadata") == {}
    assert ours.metadata() == theirs


@pytest.mark.parametrize("path", [["a.csv", "b.csv"], ["a.csv"]])
def test_several_files_give_a_tuple(
    oracle: Oracle, store: Store, specs: TaskSpecs, tmp_path: Path, path: list[str]
) -> None:
    for key in path:
        store.put(key, FILES[key])
    spec = specs.s3_extract(parameters(path, "table", "CSV"))
    oracle.execute(spec)
    ours = run_ours(spec, store, tmp_path)
    script = (
        "import base64, pickle\ncontainer = pickle.loads(base64.b64decode(data))\n"
        "result = [[kind.value for kind in container['aqueduct_serialization_types']],"
        " [item.decode() for item in container['data']], container['is_tuple']]"
    )
    theirs = oracle.evaluate(script, data=base64.b64encode(store.get("out")).decode())
    container = pickle.loads(ours.objects["out"])
    assert theirs == [
        container["aqueduct_serialization_types"],
        [item.decode() for item in container["data"]],
        container["is_tuple"],
    ]


@pytest.mark.parametrize(
    ("path", "kind", "table_format"),
    [
        ("a.txt", "table", "Parquet"),
        ("a.txt", "table", "JSON"),
        ("bad.json", "json", None),
        ("a.txt", "string", None),
        ("a.txt", "image", None),
        ("number.pkl", "string", None),
        ("tuple.pkl", "list", None),
        ("a.csv", "table", None),
        ("dict.pkl", "untyped", None),
    ],
)
def test_wrong_files_fail_alike(
    oracle: Oracle,
    store: Store,
    specs: TaskSpecs,
    tmp_path: Path,
    path: str,
    kind: str,
    table_format: str | None,
) -> None:
    store.put(path, FILES[path])
    spec = specs.s3_extract(parameters(path, kind, table_format))
    oracle.execute(spec)
    state = store.get_json("state")
    ours = run_ours(spec, store, tmp_path)
    assert (state["failure_type"], ours.failure.kind) == (2, "user")
    assert path in ours.failure.tip


ARTIFACTS = {
    "table": (
        b'{"schema":{"fields":[{"name":"a","type":"integer"},{"name":"b","type":"string"}],'
        b'"pandas_version":"1.4.0"},"data":[{"a":1,"b":"x"},{"a":2,"b":null}]}',
        "table",
        "table",
    ),
    "json": (b'{"a": [1, 2]}', "json", "string"),
    "string": (b"text", "string", "string"),
    "bytes": (b"\0b", "bytes", "bytes"),
    "numeric": (b"3", "numeric", "json"),
    "boolean": (b"true", "boolean", "json"),
    "dictionary": (b'{"a": 1}', "dictionary", "json"),
    "picklable": (b"\x80\x05N.", "picklable", "pickle"),
    "tuple": (b'[1, "[2]", [3]]', "tuple", "json"),
    "list": (b"[1, 2]", "list", "json"),
}


def put(store: Store, name: str) -> None:
    data, artifact_type, serialization_type = ARTIFACTS[name]
    store.put(name, data)
    metadata = {"artifact_type": artifact_type, "serialization_type": serialization_type}
    store.put(f"{name}.meta", json.dumps({"schema": [], "system_metadata": {}, **metadata}).encode())


@pytest.mark.parametrize(
    ("name", "table_format"),
    [("table", "CSV"), ("table", "JSON")]
    + [(name, None) for name in ARTIFACTS if name not in ("table", "tuple", "list")],
)
def test_loading_writes_the_same_file(
    oracle: Oracle, store: Store, specs: TaskSpecs, tmp_path: Path, name: str, table_format: str | None
) -> None:
    put(store, name)
    spec = specs.s3_load({"filepath": "loaded", "format": table_format}, [name])
    oracle.execute(spec)
    ours = run_ours(spec, store, tmp_path)
    assert ours.objects["loaded"] == store.get("loaded")
    assert store.get_json("state")["status"] == "succeeded"


@pytest.mark.parametrize(("name", "table_format"), [("table", "Parquet"), ("tuple", None), ("list", None)])
def test_each_side_reads_the_file_that_the_other_loaded(
    oracle: Oracle, store: Store, specs: TaskSpecs, tmp_path: Path, name: str, table_format: str | None
) -> None:
    put(store, name)
    spec = specs.s3_load({"filepath": "loaded", "format": table_format}, [name])
    oracle.execute(spec)
    extract = specs.s3_extract(parameters("loaded", name, table_format))
    theirs_read_by_us = run_ours(extract, store, tmp_path / "theirs").objects["out"]
    ours = run_ours(spec, store, tmp_path / "ours").objects["loaded"]
    store.put("loaded", ours)
    oracle.execute(extract)
    assert store.get("out") == theirs_read_by_us == ARTIFACTS[name][0]


def test_lists_of_tables_cross_over(oracle: Oracle, store: Store, specs: TaskSpecs) -> None:
    store.put("list", write_file([TABLE, "text", "[1]"], "list", "CSV"))
    oracle.execute(specs.s3_extract(parameters("list", "list")))
    assert store.get_json("state")["status"] == "succeeded", store.get_json("state")
    store.put("out2", store.get("out"))
    store.put("out2.meta", store.get("out.meta"))
    oracle.execute(specs.s3_load({"filepath": "loaded", "format": "CSV"}, ["out2"]))
    table, *others = read_file(store.get("loaded"), "loaded", "list", "")
    assert others == ["text", "[1]"]
    assert table.values.tolist() == TABLE.values.tolist()


def test_images_are_loaded_as_jpeg(oracle: Oracle, store: Store, specs: TaskSpecs, tmp_path: Path) -> None:
    store.put("image.png", png())
    spec = specs.s3_extract(parameters("image.png", "image"))
    oracle.execute(spec)
    ours = run_ours(spec, store, tmp_path)
    pixels = [Image.open(io.BytesIO(data)).tobytes() for data in (ours.objects["out"], store.get("out"))]
    assert pixels[0] == pixels[1]
    assert ours.metadata()["python_type"] == store.get_json("out.meta")["python_type"]


def test_a_load_without_a_format(oracle: Oracle, store: Store, specs: TaskSpecs, tmp_path: Path) -> None:
    put(store, "table")
    spec = specs.s3_load({"filepath": "loaded", "format": None}, ["table"])
    oracle.execute(spec)
    ours = run_ours(spec, store, tmp_path)
    assert (store.get_json("state")["failure_type"], ours.failure.kind) == (2, "user")
