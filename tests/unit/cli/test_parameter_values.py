"""Values of parameters as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas
import pytest
from PIL import Image

from aqueduct_provider.cli.command import UsageError
from aqueduct_provider.cli.parameter_values import values_of
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.runner.codecs import dump_pickle
from aqueduct_provider.spec.models import Parameter


def parameter(name: str, kind: str) -> Parameter:
    return Parameter.model_validate_json(json.dumps({"name": name, "type": kind, "default": {"value": None}}))


def typed(kind: str, text: str) -> Any:
    values = values_of([f"p={text}"], [parameter("p", kind)])
    assert list(values) == ["p"]
    return values["p"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("numeric", "3", 3),
        ("numeric", "0.5", 0.5),
        ("boolean", "false", False),
        ("string", "3", "3"),
        ("string", "", ""),
        ("string", "a=b", "a=b"),
        ("string", "@@home", "@home"),
        ("json", '{"a": 1}', '{"a": 1}'),
        ("list", "[1, 2]", [1, 2]),
        ("tuple", "[1, 2]", (1, 2)),
        ("dictionary", '{"a": null}', {"a": None}),
        ("untyped", "[1]", [1]),
        ("untyped", "some text", "some text"),
    ],
)
def test_texts(kind: str, text: str, value: Any) -> None:
    found = typed(kind, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("numeric", "many", "-p p: 'many' is not JSON, as a value of type numeric must be"),
        ("boolean", "True", "'True' is not JSON"),
        ("dictionary", "{0: 1.0}", r"'{0: 1.0}' is not JSON.* Keys are text in JSON: .* client.trigger"),
        ("list", "x" * 1000, r"'x{57}\.\.\.' is not JSON"),
        ("bytes", "raw", "a value of type bytes is read from a file: @FILE"),
        ("table", "[]", "a value of type table is read from a file"),
        ("picklable", "3", "a value of type picklable is read from a file"),
        ("bytes", "@no/such/file", "no/such/file cannot be read: No such file or directory"),
    ],
)
def test_texts_that_cannot_be(kind: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        typed(kind, text)


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "file"

    def read(kind: str, data: bytes) -> Any:
        file.write_bytes(data)
        return typed(kind, f"@{file}")

    assert read("bytes", b"\xff\x00") == b"\xff\x00"
    assert read("string", "größe\n".encode()) == "größe\n"
    assert read("json", b"[1]") == "[1]"
    assert read("dictionary", b'{"a": 1}') == {"a": 1}
    assert read("tuple", b"[1]") == (1,)
    assert read("untyped", b"[1]") == [1]
    assert read("untyped", b"words") == "words"
    assert read("picklable", dump_pickle({1})) == {1}
    for kind, data, message in (
        ("numeric", b"x", "is not JSON"),
        ("string", b"\xff", "is not UTF-8 text"),
        ("picklable", b"no pickle", "cannot be read as pickle"),
    ):
        with pytest.raises(UsageError, match=message):
            read(kind, data)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_files_of_tables(suffix: str, tmp_path: Path) -> None:
    file, table = tmp_path / f"table{suffix}", pandas.DataFrame({"n": [1, 2], "t": ["a", "b"]})
    writers: dict[str, Any] = {
        ".csv": lambda: table.to_csv(file, index=False),
        ".json": lambda: table.to_json(file, orient="records"),
        ".parquet": lambda: table.to_parquet(file),
    }
    writers[suffix]()
    assert typed("table", f"@{file}").to_dict("list") == {"n": [1, 2], "t": ["a", "b"]}


def test_files_of_images(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    assert typed("image", f"@{tmp_path / 'a.png'}").size == (3, 2)
    with pytest.raises(AuthoringError, match="cannot be read"):
        typed("image", f"@{tmp_path / 'no.png'}")


def test_names() -> None:
    known = [parameter("a", "numeric"), parameter("a=b", "string"), parameter("op:arg", "numeric")]
    assert values_of(["a=1", "a=b=c", "op:arg=2"], known) == {"a": 1, "a=b": "c", "op:arg": 2}
    assert values_of([], known) == {}
    with pytest.raises(UsageError, match=r"no parameter 'op:arh'. Did you mean 'op:arg'\?"):
        values_of(["op:arh=1"], known)
    with pytest.raises(UsageError, match="-p a: write it as -p NAME=VALUE"):
        values_of(["a"], known)


def test_one_value_for_each_parameter() -> None:
    with pytest.raises(UsageError, match="-p é is given twice: give each parameter one value"):
        values_of(["é=1", "e\u0301=1"], [parameter("é", "numeric")])
