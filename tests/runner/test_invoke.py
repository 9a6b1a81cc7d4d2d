from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import pandas
import pytest

from aqueduct_provider.runner.codecs import encode
from aqueduct_provider.runner.contract import Failure, FunctionCall, InputFile, JobRequest, OutputSlot
from tests.runner.jobs import Finished, Job


def failure_of(finished: Finished) -> Failure:
    assert finished.outcome is not None, finished.stderr
    assert finished.outcome.failure is not None
    assert finished.returncode == 0
    return finished.outcome.failure


def test_calls_the_function_with_its_inputs_in_order(job: Job) -> None:
    finished = job.call("def predict(a, b, c):\n    return [a, b, c]", 1, "x", (2, 3))
    assert job.output(finished) == [1, "x", [2, 3]]


def test_one_slot_takes_the_value_as_it_is(job: Job) -> None:
    finished = job.call("def predict():\n    return 1, 2")
    assert job.output(finished) == (1, 2)
    assert finished.outcome.outputs[0].artifact_type == "tuple"


@pytest.mark.parametrize("returned", ["(1, 'x')", "[1, 'x']"])
def test_several_slots_share_the_value(job: Job, returned: str) -> None:
    finished = job.call(f"def predict():\n    return {returned}", outputs=("numeric", "untyped"))
    assert (job.output(finished, 0), job.output(finished, 1)) == (1, "x")


def test_no_slot_drops_the_value(job: Job) -> None:
    assert job.call("def predict():\n    return 1", outputs=()).outcome.outputs == []


@pytest.mark.parametrize(
    ("returned", "outputs", "words"),
    [
        ("(1, 2, 3)", ("untyped",) * 2, ["2 outputs", "3"]),
        ("5", ("untyped",) * 2, ["tuple of 2", "int"]),
        ("'ab'", ("untyped",) * 2, ["tuple of 2", "str"]),
        ("1", ("string",), ["'result 0'", "numeric", "string"]),
        ("(1, 'x')", ("numeric", "numeric"), ["'result 1'", "numeric", "string"]),
        ("(i for i in [])", ("untyped",), ["'result 0'", "generator"]),
    ],
)
def test_wrong_outputs_are_deterministic_user_failures(
    job: Job, returned: str, outputs: tuple[str, ...], words: list[str]
) -> None:
    failure = failure_of(job.call(f"def predict():\n    return {returned}", outputs=outputs))
    assert (failure.kind, failure.deterministic) == ("user", True)
    assert all(word in failure.tip for word in words), failure.tip


CLASS = """
import pathlib
import helpers.text

class Function:
    def __init__(self):
        self.data = pathlib.Path("data.txt").read_text()
        self.args = None

    def set_args(self, args):
        self.args = args

    def predict(self):
        return [self.data, self.args, helpers.text.WORD]
"""


def test_the_code_folder_is_the_home_of_the_entry_class(job: Job) -> None:
    call = FunctionCall("code", "model.py", "Function", "predict", json.dumps({"k": 1}))
    files = {"data.txt": "data", "helpers/text.py": "WORD = 'word'"}
    assert job.output(job.call(CLASS, call=call, files=files)) == ["data", {"k": 1}, "word"]


def test_the_entry_file_may_lie_in_a_package(job: Job) -> None:
    call = FunctionCall("code", "pack/entry.py", "", "predict")
    files = {"pack/entry.py": "from .other import X\ndef predict():\n    return X", "pack/other.py": "X = 5"}
    assert job.output(job.call("", call=call, files=files)) == 5


def test_modules_may_have_the_names_of_the_runners(job: Job) -> None:
    source = (
        "import codecs, contract, files, invoke\ndef predict():\n    return [contract.X, files.X, invoke.X]"
    )
    files = {f"{name}.py": f"X = {name!r}" for name in ("contract", "files", "invoke")}
    assert job.output(job.call(source, files=files)) == ["contract", "files", "invoke"]


def test_what_the_code_prints_leaves_by_the_pipes(job: Job) -> None:
    source = (
        "import os, sys\ndef predict():\n    print('a', end='')\n    sys.stderr.write('b')\n"
        "    os.system('echo c')"
    )
    finished = job.call(source)
    assert (finished.stdout, finished.stderr) == ("ac\n", "b")


def test_measures_the_call(job: Job) -> None:
    source = (
        "import time\ndef predict():\n    data = bytearray(50_000_000)\n    time.sleep(0.2)\n"
        "    return len(data)"
    )
    outcome = job.call(source).outcome
    assert outcome.wall_time >= 0.2
    assert outcome.max_memory_mb >= 50
    assert 0 <= outcome.cpu_time < outcome.wall_time


def test_the_cpu_time_of_children_counts(job: Job) -> None:
    burn = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    source = f"import subprocess, sys\ndef predict():\n    subprocess.run([sys.executable, '-c', {burn!r}])"
    assert job.call(source).outcome.cpu_time >= 0.25


def test_an_error_shows_the_users_frames_alone(job: Job) -> None:
    source = "def helper():\n    raise ValueError('boom')\n\ndef predict():\n    helper()"
    failure = failure_of(job.call(source))
    assert (failure.kind, failure.deterministic) == ("user", False)
    assert "ValueError: boom" in failure.tip
    lines = failure.context.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith('model.py", line 5, in predict')
    assert "aqueduct_runner" not in failure.context
    assert lines[-1] == "ValueError: boom"


def test_chained_errors_are_kept(job: Job) -> None:
    source = (
        "def predict():\n    try:\n        1 / 0\n    except ZeroDivisionError as exc:\n"
        "        raise ValueError('boom') from exc"
    )
    context = failure_of(job.call(source)).context
    assert "direct cause" in context
    assert context.index("ZeroDivisionError") < context.index("ValueError: boom")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nosuchmodule", ["nosuchmodule", "requirements"]),
        ("def predict():\n    import nosuch.module", ["'nosuch'", "requirements"]),
        ("from json import nosuchname\n", ["nosuchname"]),
        ("def predict(:\n    pass", ["SyntaxError", "model.py"]),
        ("X = 1", ["model.py", "'predict'"]),
    ],
)
def test_code_that_can_never_run_is_a_deterministic_failure(job: Job, source: str, words: list[str]) -> None:
    failure = failure_of(job.call(source))
    assert (failure.kind, failure.deterministic) == ("user", True)
    assert all(word in failure.tip for word in words), failure.tip
    assert "aqueduct_runner" not in failure.context
    assert "frozen importlib" not in failure.context


def test_an_error_while_loading_shows_the_users_frame_first(job: Job) -> None:
    lines = failure_of(job.call("raise ValueError('early')")).context.splitlines()
    assert lines[1].endswith('model.py", line 1, in <module>')


def test_a_missing_entry_class_is_named(job: Job) -> None:
    call = FunctionCall("code", "model.py", "Function", "predict")
    assert "'Function'" in failure_of(job.call("X = 1", call=call)).tip


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("import sys\ndef predict():\n    sys.exit(0)", "SystemExit"),
        ("def predict():\n    raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def predict():\n    return predict()", "RecursionError"),
        ("def predict():\n    raise MemoryError", "MemoryError"),
        ("class Rude(BaseException):\n    pass\ndef predict():\n    raise Rude('x')", "Rude: x"),
        (
            "class Mute(Exception):\n    def __str__(self):\n        raise RuntimeError\n"
            "def predict():\n    raise Mute",
            "Mute",
        ),
        ("def predict(a):\n    pass", "TypeError"),
    ],
)
def test_whatever_the_code_raises_is_the_users_failure(job: Job, source: str, word: str) -> None:
    failure = failure_of(job.call(source))
    assert (failure.kind, failure.deterministic) == ("user", False)
    assert word in failure.tip
    assert word.split(":")[0] in failure.context


def test_os_exit_leaves_no_outcome(job: Job) -> None:
    finished = job.call("import os\ndef predict():\n    os._exit(7)")
    assert (finished.returncode, finished.outcome) == (7, None)


def test_a_forked_child_that_comes_back_leaves_the_outcome_to_its_parent(job: Job) -> None:
    source = (
        "import os, sys\ndef predict():\n    child = os.fork()\n    if child == 0:\n        sys.exit(0)\n"
        "    return os.waitpid(child, 0)[1] >> 8"
    )
    assert job.output(job.call(source)) == 1


def test_multiprocessing_with_fresh_interpreters_works(job: Job) -> None:
    source = (
        "import multiprocessing\nfrom work import double\ndef predict():\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        return pool.map(double, [1, 2])"
    )
    files = {"work.py": "def double(x):\n    return 2 * x"}
    assert job.output(job.call(source, files=files)) == [2, 4]


@pytest.mark.parametrize("returned", ["1.5", "True", "__import__('numpy').float32(2)"])
def test_a_metric_is_a_number(job: Job, returned: str) -> None:
    finished = job.call(f"def predict():\n    return {returned}", operation="metric", outputs=("numeric",))
    assert finished.outcome.failure is None


def test_a_metric_of_another_type_fails(job: Job) -> None:
    failure = failure_of(job.call("def predict():\n    return 'x'", operation="metric"))
    assert (failure.kind, failure.deterministic) == ("user", True)
    assert "not of type numeric" in failure.tip


@pytest.mark.parametrize(
    ("returned", "passed"),
    [
        ("True", True),
        ("False", False),
        ("numpy.bool_(True)", True),
        ("numpy.bool_(False)", False),
        ("pandas.Series([True, True])", True),
        ("pandas.Series([True, False])", False),
        ("pandas.Series([True, False], dtype='boolean')", False),
    ],
)
def test_a_check_says_whether_it_passed(job: Job, returned: str, passed: bool) -> None:
    source = f"import numpy, pandas\ndef predict():\n    return {returned}"
    finished = job.call(source, operation="check", outputs=("boolean",))
    assert finished.outcome.check_passed is passed
    assert job.output(finished) is passed
    assert finished.outcome.outputs[0].python_type == "bool"


@pytest.mark.parametrize("returned", ["1", "'True'", "__import__('pandas').Series([1, 0])", "None"])
def test_a_check_of_another_type_fails(job: Job, returned: str) -> None:
    finished = job.call(f"def predict():\n    return {returned}", operation="check")
    assert "not of type bool" in failure_of(finished).tip
    assert finished.outcome.check_passed is None


def run_param(job: Job, item: InputFile, expected: str) -> Finished:
    return job.run(JobRequest("param", inputs=[item], outputs=[OutputSlot("out0", expected)]))


@pytest.mark.parametrize(
    ("value", "expected", "result"),
    [
        (b"3", "numeric", 3),
        (b"true", "boolean", True),
        (b"[1, 2]", "tuple", (1, 2)),
        (b"[1, 2]", "list", [1, 2]),
        (b'{"a": 1}', "dictionary", {"a": 1}),
        (b'{"a": 1}', "json", '{"a": 1}'),
        (b'"12"', "string", "12"),
        (b"3", "untyped", 3),
    ],
)
def test_a_parameter_takes_json(job: Job, value: bytes, expected: str, result: Any) -> None:
    finished = run_param(job, job.add_bytes("in0", value, expected, "json"), expected)
    assert job.output(finished) == result
    assert type(job.output(finished)) is type(result)
    if expected != "untyped":
        assert finished.outcome.outputs[0].artifact_type == expected


def test_a_parameter_of_the_wrong_type_names_both(job: Job) -> None:
    failure = failure_of(run_param(job, job.add_bytes("in0", b"true", "numeric", "json"), "numeric"))
    assert (failure.kind, failure.deterministic) == ("user", True)
    assert "boolean" in failure.tip
    assert "numeric" in failure.tip


def test_an_unreadable_parameter_is_the_users_failure(job: Job) -> None:
    failure = failure_of(run_param(job, job.add_bytes("in0", b"{", "numeric", "json"), "numeric"))
    assert failure.kind == "user"
    assert "cannot be read as json" in failure.tip


def test_an_input_that_needs_a_missing_module_names_it(job: Job) -> None:
    data = b"cnosuchmodule\nThing\n."
    item = job.add_bytes("in0", data, "picklable", "pickle")
    failure = failure_of(job.call("def predict(x):\n    return 1", inputs=[item]))
    assert (failure.kind, failure.deterministic) == ("user", True)
    assert "nosuchmodule" in failure.tip


def test_a_module_that_an_input_needs_is_named_with_the_input_and_its_maker(job: Job) -> None:
    item = job.add_bytes("in0", b"cno_such_module.parts\nModel\n.", "picklable", "pickle")
    item = replace(item, name="model", maker="train")
    failure = failure_of(job.call("def predict(x):\n    return 1", inputs=[item]))
    assert (failure.kind, failure.deterministic) == ("user", True)
    assert failure.tip == (
        "Input 1 ('model', made by 'train') needs the module 'no_such_module' to be read, which is not "
        "installed here: add the package of 'no_such_module' to the requirements of the operator that reads "
        "it."
    )
    junk = replace(item, path=job.add_bytes("in1", b"junk", "picklable", "pickle").path)
    tip = failure_of(job.call("def predict(x):\n    return 1", inputs=[junk])).tip
    assert tip.startswith("Input 1 ('model', made by 'train') cannot be read as pickle")


def test_an_input_of_a_class_of_the_users_module_is_read(job: Job) -> None:
    item = job.add_bytes("in0", b"(imodel\nThing\n.", "picklable", "pickle")
    source = "class Thing:\n    pass\ndef predict(x):\n    return type(x) is Thing"
    assert job.output(job.call(source, inputs=[item])) is True


def test_a_table_from_mongodb_stays_one(job: Job) -> None:
    item = job.add_bytes("in0", b'[{"_id": {"$oid": "5f43a04ac9c2a5b6d9a3b7e1"}}]', "table", "bson_table")
    finished = job.call("def predict(table):\n    return table", inputs=[item], table_serialization="parquet")
    info = finished.outcome.outputs[0]
    assert (info.serialization_type, info.encoding) == ("bson_table", "bson_table/v1")
    assert (job.folder / "out0").read_bytes() == (job.folder / "in0").read_bytes()


def test_tables_are_written_as_the_request_says(job: Job) -> None:
    table = pandas.DataFrame({"a": [1]})
    finished = job.call("def predict(table):\n    return table", table, table_serialization="parquet")
    assert finished.outcome.outputs[0].encoding == "parquet/v3"
    assert job.output(finished)["a"].tolist() == [1]


def test_our_own_faults_are_system_failures_with_every_frame(job: Job) -> None:
    finished = job.call("def predict():\n    return 1", inputs=[InputFile("missing", "numeric", "json")])
    failure = failure_of(finished)
    assert failure.kind == "system"
    assert "aqueduct_runner" in failure.context
    assert "FileNotFoundError" in failure.tip


def test_needs_nothing_but_the_standard_library(tmp_path: Any) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    job = Job(folder, (sys.executable, "-S"))
    assert job.output(job.call("def predict(x):\n    return x + 1", 1)) == 2
    failure = failure_of(job.call("def predict():\n    return {1}"))
    assert "cloudpickle" in failure.tip
    assert "requirements" in failure.tip


def test_runs_on_other_pythons(tmp_path: Any, other_python: str) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    job = Job(folder, (other_python,))
    assert job.output(job.call("def predict(x):\n    return {'x': x}", (1, "ü"))) == {"x": [1, "ü"]}
    failure = failure_of(job.call("def predict():\n    1 / 0"))
    assert failure.context.splitlines()[1].endswith("in predict")


def test_tables_pass_without_warnings(job: Job) -> None:
    table = pandas.DataFrame({"a": ["x", None], "when": pandas.to_datetime(["2020-01-02", None])})
    finished = job.call("def predict(table):\n    return table", table)
    assert finished.stderr == ""


def test_an_input_that_is_to_be_data_is_not_unpickled(job: Job) -> None:
    table = encode(pandas.DataFrame({"a": [{1}]}), "table", "parquet")
    item = job.add_bytes("in0", table.data, "table", "parquet")
    source = "def predict(table):\n    return len(table)"
    assert job.call(source, inputs=[item]).outcome.failure is None
    failure = failure_of(job.call(source, inputs=[replace(item, data_only=True)]))
    assert (failure.kind, "holds a pickle, which can run code" in failure.tip) == ("user", True)
