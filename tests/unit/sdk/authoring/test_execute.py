from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pandas
import pyarrow
import pytest

from aqueduct_provider.errors import OperatorFailed
from aqueduct_provider.runner.codecs import Encoded, encode, infer_type
from aqueduct_provider.sdk.authoring.calls import by_position
from aqueduct_provider.sdk.authoring.execute import Results, decoded, run_operator
from aqueduct_provider.sdk.settings import is_inside_operator
from tests.support.operator_nodes import operator, param


def run(call: Any, *values: Any, **fields: Any) -> Results:
    stored = [encode(value, infer_type(value), "parquet") for value in values]
    inputs = [param(f"p{number}", value) for number, value in enumerate(values)]
    return run_operator(operator(call, *inputs, **fields), stored)


def fails(call: Any, *values: Any, **fields: Any) -> OperatorFailed:
    with pytest.raises(OperatorFailed) as caught:
        run(call, *values, **{"name": "train", **fields})
    return caught.value


def test_calls_the_function_with_its_inputs_in_order() -> None:
    results = run(lambda a, b: (a, b), 1, "x")
    assert decoded(results.outputs[0]) == (1, "x")
    assert results.outputs[0].artifact_type == "tuple"


def test_several_outputs() -> None:
    results = run(lambda: [1, "x"], outputs=2)
    assert [item.artifact_type for item in results.outputs] == ["numeric", "string"]
    assert run(lambda: 1, outputs=0).outputs == ()


def test_tables_are_kept_as_on_airflow() -> None:
    table = pandas.DataFrame({"a": [1, 2]}, index=[5, 6])
    results = run(lambda: table)
    assert results.outputs[0].serialization_type == "parquet"
    pandas.testing.assert_frame_equal(decoded(results.outputs[0]), table)


@pytest.mark.parametrize(
    ("kind", "returned", "words"),
    [
        ("metric", "no", "The computed result is not of type numeric: it is string (str)."),
        ("check", 1, "The computed result is not of type bool: it is numeric (int)."),
        (
            "function",
            lambda: 1,
            "Output 'train artifact' is of type picklable (function), but must be of type list.",
        ),
    ],
)
def test_results_follow_the_rules_of_the_operator(kind: str, returned: Any, words: str) -> None:
    failure = fails(lambda: returned, kind=kind, type="list")
    assert str(failure) == f"Error in 'train': {words}"
    assert failure.deterministic


def test_a_wrong_number_of_outputs() -> None:
    assert "must return 2 outputs, but returned 3" in str(fails(lambda: (1, 2, 3), outputs=2))


def test_a_value_that_cannot_be_stored() -> None:
    failure = fails(lambda: (i for i in []))
    assert str(failure).startswith("Error in 'train': Output 'train artifact' is a generator")


def test_columns_need_names_that_are_text() -> None:
    assert "Non-String column names" in str(fails(lambda: pandas.DataFrame({1: [1]})))


@pytest.mark.parametrize("returned", [True, numpy.bool_(True), pandas.Series([True])])
def test_a_check_that_passes(returned: Any) -> None:
    results = run(lambda: returned, kind="check")
    assert results.passed is True
    assert decoded(results.outputs[0]) is True


def test_a_check_that_does_not_pass_is_a_result() -> None:
    assert run(lambda: False, kind="check", severity="error").passed is False
    assert run(lambda: 1, kind="metric").passed is None


def broken(value: Any) -> Any:
    return deeper(value)


def deeper(value: Any) -> Any:
    raise ValueError(f"no {value}\nat all")


def test_the_users_error_with_the_users_traceback() -> None:
    failure = fails(broken, 5)
    assert str(failure) == "Error in 'train': ValueError: no 5"
    assert isinstance(failure.__cause__, ValueError)
    assert not failure.deterministic
    lines = failure.context.splitlines()
    assert "in broken" in lines[1]
    assert failure.context.count("  File ") == 2
    assert lines[-1] == "at all"


def test_the_frame_of_arguments_by_name_is_not_the_users() -> None:
    def named(*, value: Any) -> Any:
        return broken(value)

    failure = fails(by_position(named, ("value",)), 5)
    assert "in named" in failure.context.splitlines()[1]


def test_wrong_arguments_are_the_users_error() -> None:
    failure = fails(lambda: 1, 5)
    assert "TypeError" in str(failure)
    assert failure.context.startswith("TypeError")


def test_a_missing_module() -> None:
    def imports() -> None:
        import no_such_module_here  # noqa: F401

    failure = fails(imports)
    assert "The module 'no_such_module_here' is missing here: install its package" in str(failure)
    assert "in imports" in failure.context


def test_code_that_ends_the_process_does_not() -> None:
    failure = fails(lambda: sys.exit(3))
    assert "ended the process itself (SystemExit: 3); return a value instead" in str(failure)


def test_an_interrupt_passes() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted)


def test_an_input_that_cannot_be_read() -> None:
    node = operator(lambda table: 1, param("p", 1), name="train")
    with pytest.raises(
        OperatorFailed, match=r"Error in 'train': Input 1 \('p', made by 'p'\) cannot be read as"
    ):
        run_operator(node, [Encoded(b"junk", "table", "parquet", "DataFrame")])


def test_what_is_measured() -> None:
    results = run(lambda: sum(range(1000)))
    assert 0 < results.runtime < 60
    # Python alone has some MB.
    assert 5 < results.max_memory < 1_000_000


def test_runs_in_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("hello")
    before = Path.cwd()

    def left() -> Any:
        found = [str(path) for path in Path().rglob("*")]
        Path("left.txt").write_text("x")
        return [str(Path.cwd()), sys.path[0], found]

    for _ in range(2):
        cwd, entry, found = decoded(run(left, folder=tmp_path).outputs[0])
        assert (cwd, found) == (entry, [])
        assert Path(cwd) not in (before, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["words.txt"]
    assert not (before / "left.txt").exists()


def test_a_file_that_is_not_declared_is_missing(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("hello")
    failure = fails(lambda: Path("words.txt").read_text(), folder=tmp_path)
    assert str(failure) == (
        "Error in 'train': FileNotFoundError: [Errno 2] No such file or directory: 'words.txt'. 'words.txt' "
        f"is in {tmp_path}, but the function does not declare it, so no worker would have it: "
        "file_dependencies=['words.txt']"
    )
    assert failure.deterministic


def test_a_module_that_is_not_declared_is_missing(tmp_path: Path) -> None:
    (tmp_path / "undeclared_here.py").write_text("X = 5")

    def imports() -> Any:
        import undeclared_here

        return undeclared_here.X

    failure = fails(imports, folder=tmp_path)
    assert "The module 'undeclared_here' is missing here" in str(failure)
    sys.path.append(str(tmp_path))
    try:
        failure = fails(imports, folder=tmp_path)
    finally:
        sys.path.remove(str(tmp_path))
    assert str(failure) == (
        "Error in 'train': The local module 'undeclared_here' (undeclared_here.py) would not be there on a "
        "worker. Import it at the top of the function's module, so that it is taken along, or declare it: "
        "file_dependencies=['undeclared_here.py']."
    )
    assert failure.deterministic


def test_values_are_read_and_written_where_the_modules_of_the_function_are(tmp_path: Path) -> None:
    (tmp_path / "shapes_here.py").write_text("class Square:\n    side = 3\n")

    def makes() -> Any:
        import shapes_here

        return shapes_here.Square()

    made = run(makes, files=("shapes_here.py",), folder=tmp_path).outputs[0]
    uses = operator(lambda square: square.side, param("p", 1), files=("shapes_here.py",), folder=tmp_path)
    del sys.modules["shapes_here"]
    assert decoded(run_operator(uses, [made]).outputs[0]) == 3


def test_file_dependencies_are_found_from_the_functions_folder(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("hello")
    (tmp_path / "beside_the_script.py").write_text("X = 5")

    def reads() -> Any:
        import beside_the_script

        return Path("words.txt").read_text() * beside_the_script.X

    before = Path.cwd(), list(sys.path)
    results = run(reads, files=("words.txt", "beside_the_script.py"), folder=tmp_path)
    assert decoded(results.outputs[0]) == "hello" * 5
    assert (Path.cwd(), sys.path) == before


def test_the_working_directory_comes_back_after_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    before = Path.cwd(), list(sys.path)
    fails(broken, 1, files=("x",), folder=tmp_path)
    assert (Path.cwd(), sys.path) == before


def test_operators_know_that_they_run() -> None:
    assert decoded(run(is_inside_operator).outputs[0]) is True
    assert not is_inside_operator()


def test_the_call_itself_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="aqueduct"):
        run(lambda: False, kind="check")
    assert not caplog.records


def test_a_generator_function_makes_a_table_of_its_batches() -> None:
    def batches() -> Iterator[Any]:
        for number in range(3):
            yield pyarrow.RecordBatch.from_pydict({"a": [number]})

    assert decoded(run(batches).outputs[0])["a"].to_pylist() == [0, 1, 2]


def test_an_annotation_chooses_the_library_of_a_table() -> None:
    seen = run(lambda table: type(table).__module__, pandas.DataFrame({"a": [1]}), views=("polars",))
    assert decoded(seen.outputs[0]).startswith("polars")


def test_a_metric_is_a_number_of_pythons() -> None:
    assert type(decoded(run(lambda: numpy.float32(0.5), kind="metric").outputs[0])) is float
