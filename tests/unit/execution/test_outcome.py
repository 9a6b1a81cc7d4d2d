"""What user code may have put in place of the outcome and of the outputs of its job."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import OperatorCrashed, OperatorFailed
from aqueduct_provider.execution.outcome import check_files, read, untrue
from aqueduct_provider.runner.contract import OUTCOME_FILE, Failure, JobOutcome, OutputInfo, to_json

OUTPUT = OutputInfo("outputs/0", "table", "parquet", "DataFrame", "parquet/v3", [{"a": "int64"}])
OUTCOME = JobOutcome([OUTPUT], Failure("user", "It failed."), True, 1.5, 0, 3)


def test_an_outcome_comes_back(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    (tmp_path / OUTCOME_FILE).write_text(to_json(OUTCOME))
    assert read(tmp_path) == OUTCOME


def changed(**fields: Any) -> str:
    return json.dumps({**asdict(OUTCOME), **fields})


def output(**fields: Any) -> str:
    return changed(outputs=[{**asdict(OUTPUT), **fields}])


def failure(**fields: Any) -> str:
    return changed(failure={**asdict(Failure("user", "")), **fields})


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "null", "5", "[]", "{}", '"text"', '{"version": 1}', "[" * 100_000, '{"a":' * 100_000),
        *(changed(version=version) for version in (0, 2, None, "1", [1])),
        *(changed(outputs=value) for value in (None, 5, "x", [5], [None], [[]], [{}])),
        *(output(path=value) for value in (None, 5, [])),
        *(output(artifact_type=value) for value in (None, [], "tabel")),
        *(output(serialization_type=value) for value in (None, [], "pickle2")),
        *(output(schema=value) for value in (None, {}, [5], [{"a": 5}], [{"a": None}])),
        *(changed(wall_time=value) for value in (None, "1", True, -1, float("nan"), float("inf"), [])),
        *(changed(max_memory_mb=value) for value in ("x", float("-inf"))),
        *(changed(check_passed=value) for value in (0, "true", [])),
        *(changed(failure=value) for value in (5, [1], "x", {"kind": "user"})),
        *(failure(kind=value) for value in (None, "nobody", [])),
        *(failure(tip=value) for value in (None, 5)),
        failure(deterministic=1),
        changed(one_more=1),
        output(one_more=1),
        failure(one_more=1),
        '{"wall_time": ' + "9" * 5000 + "}",
    ],
)
def test_a_lie_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / OUTCOME_FILE).write_text(text)
    with pytest.raises(ValueError, match=r"^is not an outcome: .{1,60}$"):
        read(tmp_path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / OUTCOME_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="is not an outcome: UnicodeDecodeError"):
        read(tmp_path)


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


NO_FILES: list[Callable[[Path], Any]] = [link, os.mkfifo, Path.mkdir]


@pytest.mark.parametrize("make", [*NO_FILES, sparse])
def test_an_outcome_that_is_no_file_of_its_size(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    make(tmp_path / OUTCOME_FILE)
    with pytest.raises(ValueError, match=r"^cannot be read: "):
        read(tmp_path)


def test_outputs_that_are_files(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "0").touch()
    (tmp_path / "loaded").touch()
    check_files(OUTCOME, tmp_path, ["outputs/0"], ["loaded"])
    check_files(JobOutcome(), tmp_path, [])


@pytest.mark.parametrize("outputs", [[], ["outputs/1"], ["outputs/0", "outputs/1"]])
def test_other_outputs_than_those_that_were_asked_for(tmp_path: Path, outputs: list[str]) -> None:
    with pytest.raises(ValueError, match="names other outputs"):
        check_files(OUTCOME, tmp_path, outputs)


@pytest.mark.parametrize("make", NO_FILES)
def test_an_output_that_is_no_file(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    (tmp_path / "outputs").mkdir()
    make(tmp_path / "outputs" / "0")
    with pytest.raises(ValueError, match="the file outputs/0 of its job folder cannot be used: "):
        check_files(OUTCOME, tmp_path, ["outputs/0"])


def test_an_output_in_a_folder_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "0").touch()
    (tmp_path / "outputs").symlink_to("elsewhere")
    with pytest.raises(ValueError, match="outputs/0"):
        check_files(OUTCOME, tmp_path, ["outputs/0"])


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the file loaded of its job folder cannot be used: No such file"):
        check_files(JobOutcome(), tmp_path, [], ["loaded"])


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    test_an_output_in_a_folder_that_is_a_link(tmp_path)
    (tmp_path / OUTCOME_FILE).mkdir()
    with pytest.raises(ValueError, match="cannot be read"):
        read(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_who_is_to_blame() -> None:
    by_user = untrue("it lies", by_user=True)
    assert type(by_user) is OperatorFailed
    assert by_user.fault == "user"
    ours = untrue("it lies", by_user=False)
    assert type(ours) is OperatorCrashed
    assert ours.fault == "system"
