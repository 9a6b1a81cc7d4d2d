"""Archives of the SDK, run by the original's function executor."""

from __future__ import annotations

import base64
import json

import pytest

from tests.oracle.harness import ROOT, Oracle, Store, TaskSpecs

pytestmark = pytest.mark.oracle

# Packaged in the original's own Python: a pickle is read by the cloudpickle that the archive pins.
PACKAGE = """
import base64, sys
from pathlib import Path
sys.path[:0] = [root, "."]
import own_flow
from aqueduct_provider.sdk.packaging.user_function import UserFunction
from aqueduct_provider.sdk.packaging.package import package

made = package(UserFunction(getattr(own_flow, function), (), ("data.txt",), Path.cwd()), function)
result = base64.b64encode(made.data).decode()
"""

FLOW = """
import enum
from own_helpers import Scale

LABELS = {"a", "b", "c"}

class Color(enum.Enum):
    RED = 1

def without_input():
    with open("data.txt") as file:
        return [file.read(), Color.RED.name, len(LABELS)]

def scaled(rows):
    return {"rows": [Scale(3).of(row) for row in rows], "known": "a" in {"a", "b"}}
"""

HELPERS = """
class Scale:
    def __init__(self, factor): self.factor = factor
    def of(self, number): return number * self.factor
"""


@pytest.fixture
def flow(oracle: Oracle) -> str:
    """The folder of a user's project."""
    folder = oracle.folder / "sdk"
    folder.mkdir(exist_ok=True)
    for name, text in {"own_flow.py": FLOW, "own_helpers.py": HELPERS, "data.txt": "content"}.items():
        (folder / name).write_text(text)
    return str(folder)


def packaged(oracle: Oracle, folder: str, function: str) -> bytes:
    script = f"import os\nos.chdir({folder!r})\n{PACKAGE}"
    return base64.b64decode(oracle.evaluate(script, root=str(ROOT), function=function))


def test_a_function_without_inputs(oracle: Oracle, flow: str, store: Store, specs: TaskSpecs) -> None:
    store.put("code.zip", packaged(oracle, flow, "without_input"))
    oracle.execute(specs.function("code.zip"))
    assert store.get_json("state")["status"] == "succeeded", store.get_json("state")
    assert store.get_json("out") == ["content", "RED", 3]


def test_a_function_with_one_input(oracle: Oracle, flow: str, store: Store, specs: TaskSpecs) -> None:
    store.put("rows", b"[1, 2]")
    metadata = {"artifact_type": "list", "serialization_type": "json", "schema": [], "system_metadata": {}}
    store.put("rows.meta", json.dumps({**metadata, "python_type": "list"}).encode())
    store.put("code.zip", packaged(oracle, flow, "scaled"))
    oracle.execute(specs.function("code.zip", inputs=["rows"]))
    assert store.get_json("state")["status"] == "succeeded", store.get_json("state")
    assert store.get_json("out") == {"rows": [3, 6], "known": True}
