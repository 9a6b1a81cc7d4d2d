"""The same packaged function run by the original and by the runner, for every type and each outcome."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.harness import Oracle, Store, TaskSpecs
from tests.oracle.ours import Ours, run_ours

pytestmark = pytest.mark.oracle

IMPORTS = "import collections\nimport datetime\nimport decimal\nimport numpy as np\nimport pandas as pd\n"
MEASURED = "system_metadata"

# Values whose bytes are the same on both sides.
SAME_BYTES = [
    "'text'",
    "'[1, 2]'",
    "'NaN'",
    "''",
    "'\\u00fc'",
    "True",
    "3",
    "2.5",
    "float('nan')",
    "float('-inf')",
    "np.float64(1.5)",
    "{'\\u00fc': [1, None, {'b': (1, 2)}]}",
    "{1: 2, None: 3}",
    "{(1, 2): 3}",
    "{'a': b'x'}",
    "(1, 'a')",
    "[]",
    "[1, [2.5, None]]",
    "b'\\x00\\xff'",
    "bytearray(b'x')",
    "None",
    "{1, 2}",
    "decimal.Decimal('1.5')",
    "datetime.datetime(2020, 1, 2)",
    "collections.OrderedDict(a=1)",
    "collections.namedtuple('Pair', 'a b')(1, 2)",
]

# Values whose bytes hold pickles, compressed images or names of packages: each side reads the other's.
SAME_VALUES = [
    "[1, b'x', 's', '[1]', 2.5, True, None, (1, b'y'), {'a': b'z'}]",
    "(b'x', {1, 2})",
    "np.array([1, 2])",
    "[pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']}), 3]",
    "complex(1, 2)",
]


class Pair:
    """Both sides on the same task spec; each call begins with an empty state."""

    def __init__(self, oracle: Oracle, store: Store, specs: TaskSpecs, folder: Path) -> None:
        self.oracle, self.store, self.specs, self.folder = oracle, store, specs, folder

    def run(self, body: str, **spec: Any) -> tuple[dict[str, Any], Ours]:
        """The exec state that the original leaves for a function with this body, and what ours makes."""
        names = ", ".join(spec.get("inputs") or [])
        source = f"{IMPORTS}\n\ndef predict({names}):\n" + "".join(
            f"    {line}\n" for line in body.splitlines()
        )
        self.store.put("code.zip", self.oracle.package(source))
        task = self.specs.function("code.zip", **spec)
        self.oracle.execute(task)
        return self.store.get_json("state"), run_ours(task, self.store, self.folder)

    def assert_same_metadata(self, ours: Ours, name: str = "out") -> None:
        theirs = self.store.get_json(f"{name}.meta")
        assert theirs.pop(MEASURED).keys() == {"runtime", "max_memory"}
        assert ours.metadata(name) == theirs

    def read_by_the_original(self, data: bytes, serialization_type: str, artifact_type: str) -> str:
        """``repr`` of the value that the original reads in bytes."""
        script = (
            "import base64\nfrom aqueduct.utils.serialization import deserialize\n"
            "from aqueduct.constants.enums import ArtifactType, SerializationType\n"
            "result = repr(deserialize(SerializationType(serialization_type), ArtifactType(artifact_type),"
            " base64.b64decode(data)))"
        )
        return str(
            self.oracle.evaluate(
                script,
                data=base64.b64encode(data).decode(),
                serialization_type=serialization_type,
                artifact_type=artifact_type,
            )
        )


@pytest.fixture
def pair(oracle: Oracle, store: Store, specs: TaskSpecs, tmp_path: Path) -> Pair:
    return Pair(oracle, store, specs, tmp_path)


@pytest.mark.parametrize("expression", SAME_BYTES)
def test_artifacts_have_the_same_bytes_and_metadata(pair: Pair, expression: str) -> None:
    state, ours = pair.run(f"return {expression}")
    assert state["status"] == "succeeded"
    assert ours.failure is None
    assert ours.objects["out"] == pair.store.get("out")
    pair.assert_same_metadata(ours)


@pytest.mark.parametrize("expression", SAME_VALUES)
def test_each_side_reads_what_the_other_pickled(pair: Pair, expression: str) -> None:
    _, ours = pair.run(f"return {expression}")
    pair.assert_same_metadata(ours)
    theirs = pair.store.get("out")
    metadata = ours.metadata()
    types = metadata["serialization_type"], metadata["artifact_type"]
    expected = pair.read_by_the_original(theirs, *types)
    if "np." not in expression:
        # Arrays pickled by numpy 2 name modules that numpy 1.24 does not have.
        assert pair.read_by_the_original(ours.objects["out"], *types) == expected
    pair.store.put("x", theirs)
    pair.store.put("x.meta", pair.store.get("out.meta"))
    task = pair.specs.function("code.zip", inputs=["x"])
    pair.store.put("code.zip", pair.oracle.package("def predict(x):\n    return repr(x)\n"))
    again = run_ours(task, pair.store, pair.folder / "again")
    assert again.objects["out"].decode() == expected


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_images_are_the_same_pixels(pair: Pair, mode: str) -> None:
    _, ours = pair.run(f"import PIL.Image\nreturn PIL.Image.new({mode!r}, (9, 7), 77)")
    pair.assert_same_metadata(ours)
    script = (
        "import base64, io, PIL.Image\n"
        "result = [base64.b64encode(PIL.Image.open(io.BytesIO(base64.b64decode(d))).tobytes()).decode()"
        " for d in images]"
    )
    images = [base64.b64encode(data).decode() for data in (ours.objects["out"], pair.store.get("out"))]
    first, second = pair.oracle.evaluate(script, images=images)
    assert first == second


@pytest.mark.parametrize("returned", ["(1, 'x')", "[1, 'x']"])
def test_several_outputs(pair: Pair, returned: str) -> None:
    outputs, expected = ["out", "out2"], ["numeric", "string"]
    _, ours = pair.run(f"return {returned}", outputs=outputs, expected=expected)
    for name in outputs:
        assert ours.objects[name] == pair.store.get(name)
        pair.assert_same_metadata(ours, name)


def test_what_the_function_prints(pair: Pair) -> None:
    state, ours = pair.run("import sys\nprint('a')\nprint('b', end='')\nsys.stderr.write('c')\nreturn 1")
    printed = {"stdout": ours.finished.stdout, "stderr": ours.finished.stderr}
    assert printed == state["user_logs"] == {"stdout": "a\nb", "stderr": "c"}


def test_prints_before_an_error(pair: Pair) -> None:
    state, ours = pair.run("print('a')\nraise ValueError('boom')")
    assert ours.finished.stdout == state["user_logs"]["stdout"] == "a\n"


RAISES = [
    "raise ValueError('boom')",
    "1 / 0",
    "import nosuchmodule",
    "try:\n    1 / 0\nexcept ZeroDivisionError as exc:\n    raise ValueError('boom') from exc",
    "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError('boom')",
    "class E(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise E",
    "def again():\n    again()\nagain()",
]


@pytest.mark.parametrize("body", RAISES)
def test_errors_of_the_users_code(pair: Pair, body: str) -> None:
    state, ours = pair.run(body)
    assert state["failure_type"] == 2
    assert ours.failure.kind == "user"
    assert _frames(ours.failure.context) == _frames(state["error"]["context"])


def _frames(context: str) -> list[str]:
    """A traceback without the original's own frames, without folders and how often a line repeats."""
    lines = []
    skipping = False
    for line in context.splitlines():
        if line.lstrip().startswith("File "):
            skipping = "aqueduct_executor" in line
            head, _, rest = line.partition('"')
            path, _, rest = rest.partition('"')
            line = f"{head}{Path(path).name}{rest}"
        elif not line.startswith("  "):
            skipping = False
        # "[Previous line repeated 980 more times]" depends on the frames below.
        if not skipping and "repeated" not in line:
            lines.append(line)
    return lines


@pytest.mark.parametrize(
    ("body", "spec", "words"),
    [
        ("return 1", {"expected": ["string"]}, ["numeric", "string"]),
        ("return 1, 2, 3", {"outputs": ["out", "out2"]}, ["2 outputs", "3"]),
        ("return 1, 2", {"outputs": ["out", "out2"], "expected": ["numeric", "list"]}, ["numeric", "list"]),
        ("return 'x'", {"operator_type": "metric"}, ["The computed result is not of type numeric"]),
        ("return 1", {"operator_type": "check"}, ["The computed result is not of type bool"]),
    ],
)
def test_results_of_the_wrong_type(pair: Pair, body: str, spec: dict[str, Any], words: list[str]) -> None:
    state, ours = pair.run(body, **spec)
    assert (state["failure_type"], state["error"]["context"]) == (2, "")
    assert (ours.failure.kind, ours.failure.context) == ("user", "")
    for word in words:
        assert word.lower() in state["error"]["tip"].lower()
        assert word in ours.failure.tip
    assert pair.store.keys().isdisjoint({"out"})


@pytest.mark.parametrize("returned", ["1.5", "True"])
def test_metrics(pair: Pair, returned: str) -> None:
    spec = {"operator_type": "metric", "expected": ["numeric"]}
    _, ours = pair.run(f"return {returned}", **spec)
    assert ours.objects["out"] == pair.store.get("out")
    pair.assert_same_metadata(ours)


@pytest.mark.parametrize(
    ("returned", "severity"),
    [
        ("False", "error"),
        ("False", "warning"),
        ("False", None),
        ("True", "warning"),
        ("np.bool_(False)", "error"),
        ("pd.Series([True, False])", "error"),
        ("pd.Series([True, True])", "error"),
    ],
)
def test_checks(pair: Pair, returned: str, severity: str | None) -> None:
    spec = {"operator_type": "check", "expected": ["boolean"], "check_severity": severity}
    state, ours = pair.run(f"return {returned}", **spec)
    assert ours.objects["out"] == pair.store.get("out")
    pair.assert_same_metadata(ours)
    assert ours.finished.outcome is not None
    assert ours.finished.outcome.check_passed == (state["status"] == "succeeded")
    if state["status"] == "failed":
        assert state["failure_type"] == (3 if severity == "warning" else 2)
        assert state["error"] == {"tip": "The check did not pass (returned False).", "context": ""}


# The original fails on these with a failure of its own; ours stores them.
@pytest.mark.parametrize(
    ("returned", "data"),
    [("np.int64(7)", b"7"), ("np.bool_(True)", b"true"), ("np.float32(0.5)", b"0.5")],
)
def test_numpy_scalars_work_where_the_original_breaks(pair: Pair, returned: str, data: bytes) -> None:
    state, ours = pair.run(f"return {returned}")
    assert state["failure_type"] == 1
    assert ours.objects["out"] == data


@pytest.mark.parametrize("returned", ["pd.DataFrame({1: [1]})", "'\\ud800'", "(i for i in [])"])
def test_values_that_neither_side_can_store(pair: Pair, returned: str) -> None:
    state, ours = pair.run(f"return {returned}")
    assert state["failure_type"] == 1
    assert ours.failure.kind == "user"


INPUTS = {
    "table": (
        b'{"schema":{"fields":[{"name":"a","type":"integer"}],"pandas_version":"1.4.0"},"data":[{"a":1}]}',
        "table",
        "table",
    ),
    "bson": (b'[{"_id": {"$oid": "5f43a04ac9c2a5b6d9a3b7e1"}, "a": 1}]', "table", "bson_table"),
    "text": (b"x", "string", "string"),
    "json": (b"[1]", "json", "string"),
    "number": (b"NaN", "numeric", "json"),
    "tuple": (b"[1, [2]]", "tuple", "json"),
    "data": (b"\0", "bytes", "bytes"),
}


def test_both_sides_see_the_same_inputs(pair: Pair) -> None:
    for name, (data, artifact_type, serialization_type) in INPUTS.items():
        _put(pair.store, name, data, artifact_type, serialization_type)
    _, ours = pair.run("return repr(list(locals().values()))", inputs=list(INPUTS))
    assert ours.objects["out"] == pair.store.get("out")


@pytest.mark.parametrize(
    "body",
    [
        "return bson",
        "return bson.assign(b=[None], c=[1.5], d=[pd.Timestamp('2020-01-02T03:04:05.678')])",
    ],
)
def test_tables_from_mongodb_stay_such_tables(pair: Pair, body: str) -> None:
    _put(pair.store, "bson", *INPUTS["bson"])
    _, ours = pair.run(body, inputs=["bson"])
    assert ours.objects["out"] == pair.store.get("out")
    assert ours.metadata()["serialization_type"] == "bson_table"


def _put(store: Store, name: str, data: bytes, artifact_type: str, serialization_type: str) -> None:
    store.put(name, data)
    metadata = {"artifact_type": artifact_type, "serialization_type": serialization_type}
    store.put(f"{name}.meta", json.dumps({"schema": [], "system_metadata": {}, **metadata}).encode())
