"""Local files as defaults of parameters."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas
import pytest
from PIL import Image

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.local_data import read_local

TABLE = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    TABLE.to_json(tmp_path / "t.json")
    TABLE.to_parquet(tmp_path / "t.parquet")
    TABLE.to_json(tmp_path / "original.json", orient="table", index=False)
    Image.new("RGB", (3, 2), "red").save(tmp_path / "i.png")
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, (2, 3)]))
    return tmp_path


@pytest.mark.parametrize("format", ["csv", "JSON", "Parquet"])
def test_tables(folder: Path, format: str) -> None:
    path = folder / f"t.{format.lower()}"
    for given in (path, str(path)):
        table = read_local(given, aq.ArtifactType.TABLE, format)
        assert table["a"].tolist() == [1, 2]
        assert list(table.columns) == ["a", "b"]


def test_a_table_as_the_original_reads_it(folder: Path) -> None:
    assert read_local(folder / "original.json", "table", aq.LocalDataTableFormat.JSON).equals(TABLE)


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("string", "hällo\n".encode(), "hällo\n"),
        ("string", b"5", "5"),
        ("json", b'{"a": 1}', '{"a": 1}'),
        ("bytes", b"\x80\x00", b"\x80\x00"),
        ("numeric", b"5.5\n", 5.5),
        ("boolean", b"true", True),
        ("dictionary", b'{"a": [1]}', {"a": [1]}),
        ("list", b"[1, 2]", [1, 2]),
        ("tuple", b"[1, 2]", (1, 2)),
        # As the original wants them.
        ("dictionary", pickle.dumps({"a": (1,)}), {"a": (1,)}),
        ("list", pickle.dumps([1, (2, 3)]), [1, (2, 3)]),
        ("tuple", pickle.dumps((1, 2)), (1, 2)),
        ("picklable", pickle.dumps(frozenset([1])), frozenset([1])),
    ],
)
def test_other_types(tmp_path: Path, kind: str, data: bytes, value: Any) -> None:
    (tmp_path / "file").write_bytes(data)
    found = read_local(tmp_path / "file", aq.ArtifactType(kind), None)
    assert (type(found), found) == (type(value), value)


def test_images(folder: Path) -> None:
    assert read_local(folder / "i.png", "image", None).size == (3, 2)


def test_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert len(read_local("~/t.csv", "table", "csv")) == 2


@pytest.mark.parametrize(
    ("path", "as_type", "format", "message"),
    [
        ("t.csv", None, "csv", r"^as_type is missing: with use_local=True it says what the file holds: one"),
        ("t.csv", "untyped", None, r"^as_type is 'untyped': with use_local=True it says .* string, boolean"),
        ("t.csv", aq.ArtifactType.NUMERIC, None, r"t\.csv cannot be read as json"),
        ("t.csv", "list", None, r"t\.csv cannot be read as json"),
        (
            "list.pkl",
            "dictionary",
            None,
            r"list\.pkl is of type list \(list\), but must be",
        ),
        ("i.png", "string", None, r"i\.png cannot be read as string: UnicodeDecodeError"),
        ("t.csv", "json", None, r"t\.csv cannot be read as json"),
        ("t.csv", "table", None, "^format is None: a local table is one of csv, json, parquet"),
        ("t.csv", "table", "xlsx", "^format is 'xlsx': a local table is one of"),
        (TABLE, "table", "csv", "default is the path of a file, not a DataFrame"),
        ("gone.csv", "table", "csv", r"'gone\.csv' cannot be read: No such file or directory\.$"),
        (".", "table", "csv", r"'\.' cannot be read: Is a directory\.$"),
        ("i.png", "table", "parquet", r"i\.png cannot be read as table \(Parquet\)"),
        ("t.csv", "image", None, r"t\.csv cannot be read as image"),
    ],
)
def test_what_cannot_be_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, path: Any, as_type: Any, format: Any, message: str
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(AuthoringError, match=message):
        read_local(path, as_type, format)


def test_it_is_the_default_of_a_parameter(folder: Path) -> None:
    client = aq.Client(config_path=folder / "config.toml")
    made = client.create_param(
        "t", str(folder / "t.csv"), use_local=True, as_type=aq.ArtifactType.TABLE, format="CSV"
    )
    assert made.type() is aq.ArtifactType.TABLE
    assert made.get()["b"].tolist() == ["x", "y"]
