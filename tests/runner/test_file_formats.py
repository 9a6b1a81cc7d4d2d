from __future__ import annotations

import io
import json
import pickle
from typing import Any

import pandas
import pytest
from PIL import Image

from aqueduct_provider.runner.codecs import CodecError
from aqueduct_provider.runner.contract import ExternalFile, JobRequest, OutputSlot
from aqueduct_provider.runner.file_formats import merge_tables, read_file, write_file
from tests.runner.jobs import Job

TABLE = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})


@pytest.mark.parametrize("table_format", ["CSV", "JSON", "Parquet"])
def test_tables_come_back(table_format: str) -> None:
    data = write_file(TABLE, "table", table_format)
    pandas.testing.assert_frame_equal(read_file(data, "key", "table", table_format), TABLE)


def test_csv_and_json_are_written_like_this() -> None:
    assert write_file(TABLE, "table", "CSV") == b"a,b\n1,x\n2,y\n"
    assert json.loads(write_file(TABLE, "table", "JSON")) == {
        "a": {"0": 1, "1": 2},
        "b": {"0": "x", "1": "y"},
    }


@pytest.mark.parametrize(
    ("value", "artifact_type"),
    [
        ("text", "string"),
        ("[1]", "string"),
        ("[1]", "json"),
        (True, "boolean"),
        (1.5, "numeric"),
        ({"a": b"x"}, "dictionary"),
        ([1, "[2]", "s", (3, 4)], "list"),
        ((1, b"x"), "tuple"),
        (b"x", "bytes"),
        ({1, 2}, "picklable"),
    ],
)
def test_other_values_come_back(value: Any, artifact_type: str) -> None:
    result = read_file(write_file(value, artifact_type, ""), "key", artifact_type, "")
    assert result == value
    assert type(result) is type(value)


def test_a_list_of_tables_uses_the_format() -> None:
    data = write_file([TABLE], "list", "CSV")
    assert pickle.loads(data)["aqueduct_serialization_types"] == ["csv_table"]
    pandas.testing.assert_frame_equal(read_file(data, "key", "list", "")[0], TABLE)


def test_plain_pickles_are_read_too() -> None:
    assert read_file(pickle.dumps((1, 2)), "key", "tuple", "") == (1, 2)


def test_images_are_read_in_any_format() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (2, 2)).save(buffer, "PNG")
    image = read_file(buffer.getvalue(), "key", "image", "")
    assert Image.open(io.BytesIO(write_file(image, "image", ""))).format == "JPEG"


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".png", "PNG"), (".TIFF", "TIFF"), (".jpg", "JPEG"), (".v2", "PNG"), (".pdf", None)]
)
def test_images_get_the_format_of_the_name(suffix: str, kind: str | None) -> None:
    data = write_file(Image.new("L", (2, 2)), "image", "", suffix)
    if kind is None:
        assert data.startswith(b"%PDF")
    else:
        assert Image.open(io.BytesIO(data)).format == kind


def test_images_in_a_list_keep_their_pixels() -> None:
    mask = Image.effect_noise((8, 8), 90)
    (back,) = read_file(write_file([mask], "list", "", ".pkl"), "key", "list", "")
    assert (back.format, back.tobytes()) == ("PNG", mask.tobytes())


def test_a_format_that_cannot_hold_the_image_is_refused() -> None:
    with pytest.raises(
        CodecError, match=r"is an image of mode F, which cannot be written as \.png: .*\.tiff"
    ):
        write_file(Image.new("F", (2, 2)), "image", "", ".png")


@pytest.mark.parametrize(
    ("data", "artifact_type", "table_format"),
    [
        (b"hello", "table", "Parquet"),
        (b"hello", "table", "JSON"),
        (b"", "table", "CSV"),
        (b"{", "json", ""),
        (b"hello", "image", ""),
        (b"hello", "string", ""),
        (pickle.dumps(3), "string", ""),
        (pickle.dumps((1,)), "list", ""),
        (b"x", "table", ""),
        (b"x", "untyped", ""),
    ],
)
def test_an_error_names_the_file_and_the_type(data: bytes, artifact_type: str, table_format: str) -> None:
    with pytest.raises(CodecError, match=f"The file some/key .*{artifact_type}"):
        read_file(data, "some/key", artifact_type, table_format)


def test_merging() -> None:
    merged = merge_tables([TABLE, TABLE])
    assert merged["a"].tolist() == [1, 2, 1, 2]
    assert merged.index.tolist() == [0, 1, 2, 3]
    with pytest.raises(CodecError, match="Only tables"):
        merge_tables([TABLE, 1])


def extract(job: Job, contents: list[bytes], **fields: Any) -> Any:
    kind, table_format = fields.pop("kind", "table"), fields.pop("table_format", "CSV")
    for number, data in enumerate(contents):
        (job.folder / f"file{number}").write_bytes(data)
    files = [ExternalFile(f"file{n}", f"key{n}", kind, table_format) for n in range(len(contents))]
    return job.run(JobRequest("extract", files=files, outputs=[OutputSlot("out0")], **fields))


def test_extracting_one_file(job: Job) -> None:
    finished = extract(job, [b"a\n1\n"])
    assert job.output(finished)["a"].tolist() == [1]
    assert finished.outcome.outputs[0].schema == [{"a": "int64"}]


def test_extracting_several_files_gives_a_tuple(job: Job) -> None:
    first, second = job.output(extract(job, [b"a\n1\n", b"a\n2\n"], as_list=True))
    assert (first["a"].tolist(), second["a"].tolist()) == ([1], [2])


def test_extracting_a_list_of_one_file_gives_a_tuple(job: Job) -> None:
    assert job.output(extract(job, [b"x"], as_list=True, kind="bytes")) == (b"x",)


def test_extracting_merged_files_gives_a_table(job: Job) -> None:
    merged = job.output(extract(job, [b"a\n1\n", b"a\n2\n"], as_list=True, merge=True))
    assert merged["a"].tolist() == [1, 2]


def test_a_picklable_file_stays_picklable(job: Job) -> None:
    finished = extract(job, [pickle.dumps({"a": 1})], kind="picklable")
    assert job.output(finished) == {"a": 1}
    assert finished.outcome.outputs[0].artifact_type == "picklable"


def test_a_wrong_file_is_the_users_failure(job: Job) -> None:
    failure = extract(job, [b"{"], kind="json").outcome.failure
    assert (failure.kind, failure.deterministic) == ("user", True)
    assert failure.tip.startswith("The file key0 cannot be read as json")
    assert "JSONDecodeError" in failure.context


def test_loading_writes_the_last_input(job: Job) -> None:
    inputs = [job.add_input("in0", "name"), job.add_input("in1", TABLE)]
    finished = job.run(JobRequest("load", inputs=inputs, load_path="file", load_format="CSV"))
    assert (finished.outcome.failure, finished.outcome.outputs) == (None, [])
    assert (job.folder / "file").read_bytes() == b"a,b\n1,x\n2,y\n"


def test_loading_a_table_needs_a_format(job: Job) -> None:
    finished = job.run(JobRequest("load", inputs=[job.add_input("in0", TABLE)], load_path="file"))
    assert finished.outcome.failure.kind == "user"
    assert "CSV, JSON or Parquet" in finished.outcome.failure.tip
