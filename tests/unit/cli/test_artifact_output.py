"""Artifacts as text, as JSON and as files."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import pandas
import pytest
from PIL import Image

from aqueduct_provider.cli.artifact_output import check_target, document_of, file_of, text_of, write
from aqueduct_provider.cli.command import UsageError
from aqueduct_provider.runner.codecs import dump_pickle, encode, infer_type, unpickle
from aqueduct_provider.sdk.results.records import Recorded
from aqueduct_provider.sdk.results.stored_source import StoredSource
from aqueduct_provider.storage.local import LocalStore
from tests.support.artifact_vouchers import ref_of
from tests.unit.cli.places import Place, jpeg_size

Sourced = Callable[..., StoredSource]
TABLE = pandas.DataFrame({"n": [1, 2], "when": pandas.to_datetime(["2026-01-01", "2026-02-01"])})


class Pair(NamedTuple):
    """A tuple that JSON would make a list of."""

    a: int
    b: int


class Trap:
    """Its unpickling can be seen."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('it was loaded')",)


@pytest.fixture
def sourced(tmp_path: Path) -> Sourced:
    store = LocalStore(tmp_path)

    def make(value: Any, tables: str = "parquet") -> StoredSource:
        # The native pickler tries whether the pickle can be loaded, which traps spring at.
        encoded = encode(value, infer_type(value), tables, dump_pickle)
        store.put("content", encoded.data)
        metadata = {
            "artifact_type": encoded.artifact_type,
            "serialization_type": encoded.serialization_type,
        }
        store.put("metadata", json.dumps(metadata).encode())
        recorded = Recorded(ref_of(store, "content", "metadata"))
        return StoredSource(
            name="thing",
            declared=encoded.artifact_type,
            store=store,
            content_key="content",
            metadata_key="metadata",
            why_missing=lambda: "",
            look_up=lambda _fresh: recorded,
        )

    return make


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (True, "true"),
        ("good\nday", "good\nday"),
        ('{"a":1}', '{"a":1}'),
        ([1, "é"], '[\n  1,\n  "é"\n]'),
        (b"\x00", "thing: bytes, 1 bytes; write it to a file with -o FILE"),
    ],
)
def test_text(value: Any, text: str, sourced: Sourced) -> None:
    assert text_of(sourced(value)) == text


@pytest.mark.parametrize("show", [text_of, document_of])
def test_what_is_nested_too_deeply_is_only_written_to_files(
    show: Callable[[StoredSource], Any], sourced: Sourced
) -> None:
    source = sourced([1])
    # Releases of Python differ in where they give up: reading it, or writing it again.
    source.store.put("content", data := b"[" * 990 + b"]" * 990)
    source.look_up = lambda _fresh: Recorded(ref_of(source.store, "content", "metadata"))
    with pytest.raises(UsageError, match=r"cannot be read as json|nested too deeply to be printed"):
        show(source)
    assert file_of(source, "") == data


@pytest.mark.parametrize("tables", ["parquet", "table"])
def test_tables_as_text(tables: str, sourced: Sourced) -> None:
    lines = text_of(sourced(TABLE, tables)).splitlines()
    assert lines[0].split() == ["n", "when"]
    assert lines[-1] == "2 rows x 2 columns"
    long = text_of(sourced(pandas.DataFrame({"n": range(1000)}), tables)).splitlines()
    assert len(long) < 70
    assert long[-1] == "1,000 rows x 1 column"


def test_pickles_are_never_loaded(sourced: Sourced) -> None:
    source = sourced(Trap())
    assert text_of(source).startswith("thing: picklable, ")
    assert document_of(source)["value"] is None
    data = file_of(source, ".pkl")
    assert data == source.content()
    with pytest.raises(SystemExit, match="it was loaded"):
        unpickle(data)


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (1.5, "numeric", 1.5),
        ("day", "string", "day"),
        ({"a": None}, "dictionary", {"a": None}),
        (b"\x00", "bytes", None),
        ({"a": {1}}, "dictionary", None),
    ],
)
def test_documents(value: Any, kind: str, shown: Any, sourced: Sourced) -> None:
    source = sourced(value)
    found = document_of(source)
    assert list(found) == ["name", "type", "serialization_type", "size", "value"]
    assert (found["name"], found["type"], found["value"]) == ("thing", kind, shown)
    assert found["size"] == len(source.content())
    json.dumps(found)


def test_tables_as_documents(sourced: Sourced) -> None:
    rows = document_of(sourced(TABLE))["value"]
    assert [row["n"] for row in rows] == [1, 2]
    assert rows[0]["when"].startswith("2026-01-01T00:00:00")


@pytest.mark.parametrize("tables", ["parquet", "table"])
@pytest.mark.parametrize(
    ("suffix", "read"),
    [
        (".csv", pandas.read_csv),
        (".json", pandas.read_json),
        (".parquet", pandas.read_parquet),
        ("", pandas.read_csv),
    ],
)
def test_files_of_tables(suffix: str, read: Any, tables: str, sourced: Sourced) -> None:
    data = file_of(sourced(TABLE, tables), suffix)
    found = read(io.BytesIO(data))
    assert list(found.columns) == ["n", "when"]
    assert found["n"].tolist() == [1, 2]
    assert pandas.to_datetime(found["when"]).dt.month.tolist() == [1, 2]


def test_files_of_images(sourced: Sourced) -> None:
    source = sourced(Image.new("RGB", (3, 2), "red"), "table")
    assert file_of(source, ".jpg") == file_of(source, "") == source.content()
    with Image.open(io.BytesIO(file_of(source, ".png"))) as image:
        assert (image.format, image.size) == ("PNG", (3, 2))
    assert jpeg_size(source.content()) == (3, 2)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize(("suffix", "kind"), [(".jpg", "JPEG"), (".png", "PNG"), (".tiff", "TIFF")])
def test_files_of_lossless_images_have_the_format_of_their_names(
    suffix: str, kind: str, mode: str, sourced: Sourced
) -> None:
    source = sourced(Image.new(mode, (3, 2)))
    assert source.content().startswith(b"\x89PNG")
    with Image.open(io.BytesIO(file_of(source, suffix))) as image:
        assert (image.format, image.size) == (kind, (3, 2))


@pytest.mark.parametrize(
    ("value", "suffix"),
    [
        (Image.new("CMYK", (1, 1)), ".jpg"),
        (Image.new("F", (1, 1)), ""),
        (pandas.DataFrame({"c": [1j]}), ".csv"),
        (pandas.DataFrame({"c": [1j]}), ""),
        (Pair(1, 2), ".json"),
        ({"a": {1}}, ".json"),
        ({1, 2}, ".json"),
        ({1, 2}, ".parquet"),
    ],
)
def test_a_pickle_is_written_under_no_other_name(value: Any, suffix: str, sourced: Sourced) -> None:
    source = sourced(value)
    with pytest.raises(
        UsageError, match=r"stored as a pickle.* -o FILE\.pkl, .*run\.artifact\('thing'\)\.get"
    ):
        file_of(source, suffix)
    for name in (".pkl", ".pickle"):
        assert file_of(source, name) == source.content()


@pytest.mark.parametrize(
    ("value", "suffix", "message"),
    [
        (TABLE, ".xlsx", r"a table is written as .csv, .parquet or .json, not as '\.xlsx'"),
        (Image.new("L", (1, 1)), ".csv", r"an image cannot be written as '\.csv'"),
        (Image.new("LA", (1, 1)), ".bmp", r"thing is an image of mode LA, which cannot be written as \.bmp"),
    ],
)
def test_files_that_there_are_not(value: Any, suffix: str, message: str, sourced: Sourced) -> None:
    with pytest.raises(UsageError, match=message):
        file_of(sourced(value), suffix)


@pytest.mark.parametrize("value", [1.5, "day", [1], b"\x00", {1, 2}])
def test_files_of_other_values_are_what_is_stored(value: Any, sourced: Sourced) -> None:
    source = sourced(value)
    assert file_of(source, ".any") == source.content()


def test_where_files_go(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "x"
    check_target(str(file), force=False)
    write(b"1", str(file))
    with pytest.raises(UsageError, match="already exists; repeat with --force"):
        check_target(str(file), force=False)
    check_target(str(file), force=True)
    write(b"2", str(file))
    assert file.read_bytes() == b"2"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    check_target("-", force=False)
    write(b"\x003", "-")
    assert capsysbinary.readouterr().out == b"\x003"
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        write(b"4", str(tmp_path / "no/x"))


def test_artifacts_of_a_run(place: Place) -> None:
    run = place.made.client.flow("kinds").fetch(place.runs["kinds"])
    assert text_of(run.source("greeting")) == "good day"
    assert json.loads(text_of(run.source("things"))) == {"a": [1, None], "width": 3}
    assert text_of(run.source("raw")).startswith("raw: bytes, 4 bytes")
    assert unpickle(file_of(run.source("model"), ".pkl")) == {1, 2}
    assert jpeg_size(file_of(run.source("picture"), ".jpeg")) == (3, 2)


def test_pickled_cells_of_a_table_are_shown_and_never_loaded(sourced: Sourced) -> None:
    table = pandas.DataFrame({"n": [1], "thing": pandas.Series([Trap()], dtype=object)})
    table.attrs["trap"] = Trap()
    source = sourced(table)
    assert re.search(r"1 <pickled, \d+ bytes>", text_of(source))
    assert document_of(source)["value"][0]["thing"].startswith("<pickled")
    assert b"<pickled" in file_of(source, ".csv")


def test_a_pickled_table_is_told_by_its_size(sourced: Sourced) -> None:
    text = text_of(sourced(pandas.DataFrame({"c": [1j]})))
    assert text.startswith("thing: table,")
    assert text.endswith("-o FILE.pkl")


def test_numbers_of_numpy_are_shown_as_numbers(sourced: Sourced) -> None:
    source = sourced(numpy.float32(0.5))
    assert text_of(source) == "0.5"
    assert document_of(source)["value"] == 0.5


def test_numbers_that_json_has_not_are_null_for_programs(sourced: Sourced) -> None:
    assert document_of(sourced(float("nan")))["value"] is None
    assert document_of(sourced(float("inf")))["value"] is None
