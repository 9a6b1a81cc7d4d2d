"""What archives of the original use of the packages that were installed there."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import cloudpickle
import pandas
import pytest

from aqueduct_provider.execution.original_packages import ALL, files_in_folder, files_in_zip, used_packages


def pickled(function: Callable[..., object]) -> tuple[str, bytes]:
    function.__module__ = "__main__"
    return "model.pkl", cloudpickle.dumps(function)


def source(text: str, name: str = "model.py") -> tuple[str, bytes]:
    return name, text.encode()


def test_imports_within_functions_and_modules_as_a_whole() -> None:
    def predict(table: object) -> object:
        import numpy
        from sklearn.linear_model import LinearRegression

        return pandas.DataFrame(), numpy, LinearRegression

    assert used_packages([pickled(predict)]) == ("numpy", "pandas", "scikit-learn")


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("import sqlalchemy.orm", "sqlalchemy"),
        ("from PIL import Image", "pillow"),
        ("from google.cloud import bigquery", "google-cloud-bigquery"),
        ("from google.cloud import storage", "google-cloud-storage"),
        ("    def f():\n        import yaml\n", "PyYAML"),
        ("import snowflake.connector as s", "snowflake-sqlalchemy"),
        ("from aqueduct import op", "aqueduct-ml"),
    ],
)
def test_modules_with_packages_of_another_name(text: str, package: str) -> None:
    assert package in used_packages([source(text)])


@pytest.mark.parametrize(
    "text", ["import os, json", "from . import pandas", "pandas = 1", "import torch", ""]
)
def test_what_is_none_of_them(text: str) -> None:
    assert used_packages([source(text)]) == ()


@pytest.mark.parametrize(
    "file",
    [
        source("def f(:"),
        source("import importlib\nimportlib.import_module(name)"),
        source("__import__(name)"),
        ("model.py", b"\xff\xfe"),
        ("model.pkl", b"not a pickle"),
    ],
)
def test_all_where_it_cannot_be_seen(file: tuple[str, bytes]) -> None:
    assert used_packages([file]) == ALL


def test_what_inputs_need_is_added() -> None:
    assert used_packages([source("")], ["sklearn.tree._classes", "numpy"]) == ("numpy", "scikit-learn")


def test_a_folder_and_a_zip_of_the_same_archive(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    contents = {
        "f/model.py": b"import cloudpickle as cp",
        "f/model.pkl": pickle.dumps(1),
        "f/lib/deep.py": b"import boto3",
        "f/data.csv": b"import pandas",
    }
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    with zipfile.ZipFile(buffer) as archive:
        archive.extractall(tmp_path)
    found = used_packages(files_in_zip(buffer.getvalue()))
    assert found == used_packages(files_in_folder(tmp_path)) == ("boto3",)
