# ruff: noqa: PTH123, SIM115 - the errors of open() itself are wanted.
"""Errors about missing files, as libraries raise them, and what is said about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from aqueduct_provider.sdk.authoring.undeclared_files import undeclared_file
from aqueduct_provider.sdk.authoring.working_folder import WorkingFolder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkingFolder:
    for name in ("run", "project", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "project/data").mkdir()
    for path in ("project/prices.csv", "project/data/prices.parquet", "elsewhere/only.csv"):
        (tmp_path / path).touch()
    monkeypatch.chdir(tmp_path / "run")
    return WorkingFolder(tmp_path / "run", tmp_path / "elsewhere")


def hint_of(call: Callable[[], Any], folder: WorkingFolder) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        call()
    return undeclared_file(caught.value, folder.path.parent / "project", folder)


def wrapped() -> None:
    try:
        Path("prices.csv").read_text()
    except OSError as error:
        raise ValueError("no prices") from error


class ForeignError(Exception):
    pass


def foreign() -> None:
    raise ForeignError('IO Error: No files found that match the pattern "data/prices.parquet"')


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: open("prices.csv"), "prices.csv"),
        (lambda: open(b"./prices.csv"), "prices.csv"),
        (lambda: Path("prices.csv").absolute().read_text(), "prices.csv"),
        (lambda: pandas.read_csv("prices.csv"), "prices.csv"),
        (lambda: pandas.read_parquet("data/prices.parquet"), "data/prices.parquet"),
        (lambda: numpy.load("prices.csv"), "prices.csv"),
        (wrapped, "prices.csv"),
        (foreign, "data/prices.parquet"),
    ],
)
def test_a_file_of_the_project(folder: WorkingFolder, call: Any, name: str) -> None:
    project = folder.path.parent / "project"
    assert hint_of(call, folder) == (
        f"{name!r} is in {project}, but the function does not declare it, so no worker would have it: "
        f"file_dependencies=[{name!r}]"
    )


def test_a_file_of_the_working_directory(folder: WorkingFolder) -> None:
    hint = hint_of(lambda: open("only.csv"), folder)
    assert f"'only.csv' is in {folder.before}, and a function only has declared files" in hint
    assert hint.endswith(
        f"copy it to {folder.path.parent / 'project'}, and declare it: file_dependencies=['only.csv']"
    )


@pytest.mark.parametrize(
    "call",
    [lambda: open("data/new.csv", "w"), lambda: pandas.DataFrame({"a": [1]}).to_csv("data/new.csv")],
)
def test_a_folder_to_write_to(folder: WorkingFolder, call: Any) -> None:
    hint = hint_of(call, folder)
    assert "file_dependencies=['data']; a folder to write to must be made in the function" in hint


@pytest.mark.parametrize(
    "call",
    [
        lambda: open("nowhere.csv"),
        lambda: open("/nowhere/prices.csv"),
        lambda: open("x" * 5000),
        lambda: open("prices.csv\0"),
        lambda: {}["prices.csv"],
        lambda: sqlite3.connect("file:prices.db?mode=ro", uri=True),
        lambda: 1 / 0,
    ],
)
def test_nothing_is_said_of_other_errors(folder: WorkingFolder, call: Any) -> None:
    assert hint_of(call, folder) == ""


def test_a_file_that_is_there_by_now_is_not_missing(folder: WorkingFolder) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        open("prices.csv")
    (folder.path / "prices.csv").touch()
    assert undeclared_file(caught.value, folder.path.parent / "project", folder) == ""
