from __future__ import annotations

from aqueduct_provider.environment.fingerprint import WORKER_PYTHON
from aqueduct_provider.execution.operator_environment import environment_of, serialization_of
from aqueduct_provider.spec.models import ArtifactType


def test_codecs_add_what_the_requirements_do_not_name() -> None:
    spec = environment_of(["Pandas==1.5.3", "cloudpickle==2.2.1"], "3.11", ["pickle", "parquet"], "parquet")
    assert spec.requirements == ("Pandas==1.5.3", "cloudpickle==2.2.1", "pyarrow")
    assert spec.python_version == "3.11"


def test_nothing_is_added_for_values_that_need_nothing() -> None:
    assert environment_of([], None, ["json", "string", ""], "parquet").requirements == ()
    assert environment_of([], None, [], "parquet").python_version == WORKER_PYTHON


def test_who_asks_for_pandas_can_write_a_table_that_was_not_announced() -> None:
    assert environment_of(["pandas"], None, [], "parquet").requirements == ("pandas", "pyarrow")
    assert environment_of(["pandas"], None, [], "table").requirements == ("pandas",)


def test_a_line_that_installs_nothing_there_names_nothing() -> None:
    lines = ["pandas==1; sys_platform == 'win32'", "pyarrow==1; python_version < '3.10'"]
    assert environment_of(lines, "3.11", ["parquet"], "parquet").requirements == (*lines, "pandas", "pyarrow")
    assert environment_of(lines[:1], "3.11", [], "parquet").requirements == (lines[0],)
    assert environment_of(lines[1:], "3.9", ["parquet"], "table").requirements == (lines[1], "pandas")


def test_each_package_is_added_once() -> None:
    assert environment_of([], None, ["table", "parquet"], "table").requirements == ("pandas", "pyarrow")


def test_serialization_of_types() -> None:
    assert serialization_of(ArtifactType.TABLE, "parquet") == "parquet"
    assert serialization_of(ArtifactType.IMAGE, "table") == "image"
    assert serialization_of(ArtifactType.NUMERIC, "table") == ""
