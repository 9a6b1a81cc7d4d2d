"""What archives of the original use of the packages that were installed there."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import cloudpickle
import pandas
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from aqueduct_provider.execution.original_packages import (
    bounds,
    files_in_folder,
    files_in_zip,
    used_packages,
)
from aqueduct_provider.spec.compiled_facts import BASE_PACKAGES


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
    assert used_packages([file]) == BASE_PACKAGES


def test_what_inputs_need_is_added() -> None:
    assert used_packages([source("")], ["sklearn.tree._classes", "numpy"]) == (
        "numpy",
        "pandas",
        "scikit-learn",
    )


@pytest.mark.parametrize(
    ("text", "companions"),
    [
        ("import pandas\ntable.to_parquet(path)", {"pandas", "pyarrow"}),
        ("import pandas\npandas.read_csv(path)", {"pandas"}),
        (
            "import pandas\npandas.read_sql(query, 'postgresql://host/db')",
            {"pandas", "SQLAlchemy", "psycopg2-binary"},
        ),
        ("import sqlalchemy\ncreate_engine('mssql+pyodbc://host')", {"sqlalchemy", "pyodbc"}),
        ("import sqlalchemy\nURL = 'SNOWFLAKE://host'", {"sqlalchemy", "snowflake-sqlalchemy"}),
        ("from sklearn import datasets", {"scikit-learn", "pandas"}),
        ("URL = 'postgresql://host'", set()),
    ],
)
def test_what_a_package_imports_on_some_occasions(text: str, companions: set[str]) -> None:
    assert set(used_packages([source(text)])) == companions


@pytest.mark.parametrize("name", ["model.pickle", "clf.sav", "data.bin"])
def test_pickles_by_any_name_are_looked_into(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(pandas.Series([1])))
    (tmp_path / "model.py").write_text("import pickle")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    assert "pandas" in used_packages(files_in_folder(tmp_path))


def test_the_bounds_are_those_of_the_original_itself() -> None:
    """Against what its packages on PyPI say of themselves, in the environment of the oracle."""
    metadata = [*Path(".venv-oracle").glob("lib/*/site-packages/aqueduct_*-0.3.6.dist-info/METADATA")]
    if not metadata:
        pytest.skip("the environment of the oracle is not built")
    allowed: dict[str, SpecifierSet] = {}
    for path in metadata:
        for line in re.findall(r"^Requires-Dist: (.+)$", path.read_text(), re.MULTILINE):
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            allowed[name] = allowed.get(name, SpecifierSet()) & requirement.specifier
    ours = {canonicalize_name(one.name): one for one in map(Requirement, bounds(()))}
    for name, one in ours.items():
        (bound,) = one.specifier
        assert str(bound) in map(str, allowed[name]), name
        limits = [other.version for other in allowed[name] if other.operator.startswith("<")]
        assert min(limits, key=Version) == bound.version
    assert {"pandas", "numpy", "pyarrow", "sqlalchemy", "pillow"} <= ours.keys()


def test_what_chooses_its_version_is_not_bounded() -> None:
    names = [bound.split("<")[0] for bound in bounds(["pandas==2.2.3", "numpy", "Pillow>=10", "six"])]
    assert {"pandas", "pillow"}.isdisjoint(names)
    assert "numpy" in names


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
