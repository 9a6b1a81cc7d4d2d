"""One and the same script, written for the original SDK and for ours: which flow would each register?

Both run the script in lazy mode, where nothing is computed. Of the original, what it hands to its API client
is taken; of ours, the composed spec.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider import sdk
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.artifacts import artifact_for
from aqueduct_provider.sdk.authoring.parameters import parameter_node
from aqueduct_provider.sdk.publishing.compose import FlowRequest, compose
from aqueduct_provider.spec.models import ParamOperator, WorkflowSpec
from tests.oracle.harness import Oracle
from tests.support.node_graphs import STORE, light_packager

pytestmark = pytest.mark.oracle

# What the scripts begin with; they end with `flow`, the arguments of publish_flow.
FUNCTIONS = """
@op(requirements=[])
def load():
    return 1

@op(requirements=[])
def f(x):
    return x

@op(requirements=[])
def scale(x, factor=2):
    return x * factor

@op(requirements=[], num_outputs=2)
def two(x):
    return x, x

@op(requirements=[], outputs=["left", "right"])
def split(x):
    return x, x

@metric(requirements=[])
def m(x):
    return 1

@metric(requirements=[])
def distance(x, y):
    return 1

@check(requirements=[], severity="error")
def c(x):
    return True
"""

ORIGINAL = """
import logging, unittest.mock, warnings
import aqueduct.client, aqueduct.globals
from aqueduct import check, metric, op

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
registered = []
api = type(aqueduct.globals.__GLOBAL_API_CLIENT__)
for method, replacement in (
    ("register_workflow", lambda self, dag, *args, **kwargs: registered.append(dag)),
    ("list_resources", lambda self: {}),
):
    unittest.mock.patch.object(api, method, replacement).start()
client = aqueduct.client.Client.__new__(aqueduct.client.Client)
client._dag = aqueduct.globals.__GLOBAL_DAG__
client._connected_resources = {}
client._in_notebook_or_console_context = False

names = {"op": op, "metric": metric, "check": check, "create_param": client.create_param}
with open("script.py", "w") as file:
    file.write(source)
exec(compile(source, "script.py", "exec"), names)
result = None
try:
    client.publish_flow(name="flow", **names["flow"])
except Exception as error:
    # Without a server it fails after the registration, too.
    result = str(error)
KINDS = ("function", "metric", "check", "param", "system_metric")
if registered:
    (dag,) = registered
    artifacts = {str(id_): artifact for id_, artifact in dag.artifacts.items()}
    result = []
    for operator in dag.operators.values():
        outputs = [artifacts[str(output)] for output in operator.outputs]
        kind = next(kind for kind in KINDS if getattr(operator.spec, kind) is not None)
        name = outputs[0].name if kind == "param" else operator.name
        inputs = [artifacts[str(item)].name for item in operator.inputs]
        result.append([kind, name, inputs, [[item.name, item.type.value] for item in outputs]])
"""

Registered = list[Any]


def original(oracle: Oracle, script: str) -> Any:
    """The operators that the original registers, or why it does not."""
    found = oracle.evaluate(ORIGINAL, source=FUNCTIONS + script)
    return sorted(found) if isinstance(found, list) else found


def ours(folder: Path, script: str) -> Any:
    """The same of our side."""
    names: dict[str, Any] = {
        "op": sdk.op,
        "metric": sdk.metric,
        "check": sdk.check,
        "create_param": lambda name, default, description="": artifact_for(
            parameter_node(name, default, description, False)
        ),
    }
    path = folder / "script.py"
    path.write_text(FUNCTIONS + script)
    exec(compile(FUNCTIONS + script, str(path), "exec"), names)
    given = {argument: [item.node for item in items] for argument, items in names["flow"].items()}
    try:
        composition = compose(FlowRequest("flow", **given), STORE, packager=light_packager)
    except AuthoringError as error:
        return str(error)
    return registered_by(composition.spec)


def registered_by(spec: WorkflowSpec) -> Registered:
    artifacts = {item.id: item for item in spec.artifacts}
    assert {item.name for item in spec.parameters} == {
        operator.parameter for operator in spec.operators if isinstance(operator, ParamOperator)
    }
    return sorted(
        [
            operator.type,
            operator.name,
            [artifacts[item].name for item in operator.inputs],
            [[artifacts[item].name, artifacts[item].type.value] for item in operator.outputs],
        ]
        for operator in spec.operators
    )


@pytest.fixture
def both(oracle: Oracle, tmp_path: Path) -> Callable[[str], tuple[Any, Any]]:
    """What the original and what ours make of a script."""
    return lambda script: (original(oracle, script), ours(tmp_path, script))


Both = Callable[[str], tuple[Any, Any]]


@pytest.mark.parametrize(
    ("count", "script"),
    [
        (2, "x = load.lazy(); y = f.lazy(x); flow = {'artifacts': [y]}"),
        (3, "flow = {'artifacts': [scale.lazy(3)]}"),
        (4, "flow = {'artifacts': [f.lazy(f.lazy(f.lazy('text')))]}"),
        (3, "p = create_param('p', 3); a = f.lazy(p); b = f.lazy(p); flow = {'artifacts': [a, b]}"),
        (4, "flow = {'artifacts': [f.lazy(1), f.lazy(2)]}"),
        (3, "x, y = two.lazy(load.lazy()); flow = {'artifacts': [f.lazy(y)]}"),
        (2, "x, y = split.lazy(load.lazy()); flow = {'artifacts': [y]}"),
        (3, "p = create_param('f artifact', [1]); flow = {'artifacts': [f.lazy(f.lazy(p))]}"),
        (3, "x = f.lazy({'a': 1}); x.set_name('named'); flow = {'artifacts': [f.lazy(x)]}"),
        # What nobody named.
        (5, "x = load.lazy(); c.lazy(x); a = m.lazy(x); m.lazy(a); c.lazy(a); flow = {'artifacts': [x]}"),
        (3, "x, y = two.lazy(load.lazy()); m.lazy(x); m.lazy(y); flow = {'artifacts': [x]}"),
        (3, "x = load.lazy(); distance.lazy(x, 5); flow = {'artifacts': [x]}"),
        (2, "x = load.lazy(); m.lazy(x); m.lazy(x); flow = {'artifacts': [x]}"),
        (2, "x = load.lazy(); c.lazy(m.lazy(x)); m.lazy(x); flow = {'artifacts': [x]}"),
        (3, "x = load.lazy(); c.lazy(m.lazy(x)); c.lazy(m.lazy(x)); flow = {'artifacts': [x]}"),
        # Bounds.
        (3, "x = load.lazy(); m.lazy(x).bound(upper=3, lazy=True); flow = {'artifacts': [x]}"),
        # What is named.
        (1, "x = load.lazy(); c.lazy(m.lazy(x)); flow = {'artifacts': [x], 'metrics': [], 'checks': []}"),
        (2, "x = load.lazy(); m.lazy(x); c.lazy(x); flow = {'artifacts': [x], 'metrics': []}"),
        (2, "x = load.lazy(); m.lazy(x); c.lazy(x); flow = {'artifacts': [x], 'checks': []}"),
        (3, "x = load.lazy(); a = m.lazy(x); c.lazy(a); flow = {'artifacts': [x], 'metrics': [a]}"),
        (
            3,
            "x = load.lazy(); d = c.lazy(m.lazy(x)); flow = {'artifacts': [x], 'metrics': [], 'checks': [d]}",
        ),
        (3, "x = load.lazy(); flow = {'artifacts': [c.lazy(m.lazy(x))]}"),
        (
            2,
            "x = load.lazy(); r = x.system_metric('runtime', lazy=True); "
            "flow = {'artifacts': [x], 'metrics': [r]}",
        ),
    ],
)
def test_the_same_flow(both: Both, count: int, script: str) -> None:
    theirs, mine = both(script)
    assert isinstance(theirs, list), theirs
    assert mine == theirs
    assert len(mine) == count


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("flow = {'artifacts': []}", "at least one artifact"),
        ("x = f.lazy(create_param('p', 1)); x.set_name('p'); flow = {'artifacts': [x]}", "set_name"),
        (
            "x = f.lazy(create_param('p', 1)); y = f.lazy(create_param('p', 2)); "
            "flow = {'artifacts': [x, y]}",
            "named",
        ),
        ("flow = {'artifacts': [f.lazy(split.lazy(split.lazy(1)[0])[0])]}", "set_name"),
    ],
)
def test_the_same_refusals(both: Both, script: str, words: str) -> None:
    for said in both(script):
        assert words in said


# --- where ours differs, on purpose


def test_system_metrics_belong_to_the_metrics(both: Both) -> None:
    script = "x = load.lazy(); x.system_metric('runtime', lazy=True); flow = {'artifacts': [x]}"
    theirs, mine = both(script)
    assert [kind for kind, *_ in theirs] == ["function"]
    assert [kind for kind, *_ in mine] == ["function", "system_metric"]


def test_a_metric_brings_its_other_inputs(both: Both) -> None:
    theirs, mine = both("x = load.lazy(); distance.lazy(x, f.lazy(x)); flow = {'artifacts': [x]}")
    assert [name for _, name, *_ in theirs] == ["f", "load", "distance"]
    assert [name for _, name, *_ in mine] == ["f", "load", "distance"]


def test_equal_parameters_are_one(both: Both) -> None:
    theirs, mine = both(
        "x = f.lazy(create_param('p', 1)); y = f.lazy(create_param('p', 1)); flow = {'artifacts': [x, y]}"
    )
    assert "multiple artifacts explicitly named `p`" in theirs
    assert [name for _, name, *_ in mine] == ["f", "f", "p"]


def test_the_same_plain_argument_is_the_same_input(both: Both) -> None:
    theirs, mine = both(
        "x = load.lazy(); distance.lazy(x, 5); distance.lazy(x, 5); flow = {'artifacts': [x]}"
    )
    assert [name for _, name, *_ in theirs].count("distance") == 2
    assert [name for _, name, *_ in mine].count("distance") == 1


def test_none_is_a_default(oracle: Oracle, tmp_path: Path) -> None:
    script = "flow = {'artifacts': [f.lazy(None)]}"
    with pytest.raises(AssertionError, match="default value cannot be None"):
        original(oracle, script)
    assert ours(tmp_path, script)[1] == ["param", "f:x", [], [["f:x", "untyped"]]]


def test_counters_follow_the_order_of_creation(both: Both) -> None:
    """The original counts level by level, and within a level in an order that differs from time to time."""
    script = "a = load.lazy(); b = m.lazy(a); c.lazy(b); c.lazy(a); flow = {'artifacts': [a]}"
    theirs, mine = both(script)
    assert ["check", "c", ["load artifact"], [["c artifact", "boolean"]]] in theirs
    assert ["check", "c", ["load artifact"], [["c artifact (1)", "boolean"]]] in mine
