"""Decorated functions: as people write and call them, eagerly, lazily, here and on a worker."""

from __future__ import annotations

import functools
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from aqueduct_provider.errors import AuthoringError, OperatorFailed, RequirementsMissing
from aqueduct_provider.sdk.authoring.artifacts import Artifact, artifact_for
from aqueduct_provider.sdk.authoring.calls import by_position
from aqueduct_provider.sdk.authoring.decorators import Operator, check, metric, op, to_operator
from aqueduct_provider.sdk.authoring.nodes import OperatorNode
from aqueduct_provider.sdk.authoring.parameters import parameter_node
from aqueduct_provider.sdk.enums import CheckSeverity
from aqueduct_provider.sdk.settings import global_config


@pytest.fixture(autouse=True)
def _eager_again() -> Iterator[None]:
    yield
    global_config({"lazy": False})


def param(default: Any = 1) -> Artifact:
    return artifact_for(parameter_node("p", default, "", implicit=False))


def producer(artifact: Artifact) -> OperatorNode:
    assert artifact.node
    return artifact.node.producer


def plus(a: Any, b: Any = 1) -> Any:
    """Add."""
    return a + b


# --- the syntax


@pytest.mark.parametrize(
    ("decorator", "kind"), [(op, "function"), (metric, "metric"), (check, "check")], ids=str
)
def test_with_and_without_parentheses(decorator: Any, kind: str, tmp_path: Path) -> None:
    bare, called, named = decorator(plus), decorator()(plus), decorator("my plus")(plus)
    for operator, name in ((bare, "plus"), (called, "plus"), (named, "my plus")):
        assert isinstance(operator, Operator)
        assert repr(operator) == f"<{decorator.__name__} {name!r}: plus(a, b)>"
    assert producer(decorator(requirements=[])(plus).lazy(1)).kind == kind


def test_an_operator_looks_like_its_function() -> None:
    operator = op(plus)
    assert (operator.__name__, operator.__doc__, operator.__module__) == ("plus", "Add.", __name__)
    assert operator.__wrapped__ is plus  # type: ignore[attr-defined]
    assert inspect.signature(operator) == inspect.signature(plus)
    assert inspect.getsource(operator) == inspect.getsource(plus)  # type: ignore[arg-type]


def test_what_is_given_is_recorded() -> None:
    run = {"retries": 3, "retry_delay": timedelta(minutes=1), "timeout": 5, "pool": "gpu", "fuse": "all"}
    said: dict[str, Any] = {"name": "n", "description": "d", "requirements": ["x"], **run}
    said |= {"file_dependencies": ["test_decorators.py"], "resources": {"memory": "1GB"}}
    for artifact in (
        op(outputs=["o"], **said)(plus).lazy(1),
        metric(output="o", **said)(plus).lazy(1),
        check(outputs=["o"], severity=CheckSeverity.ERROR, **said)(plus).lazy(1),
    ):
        node = producer(artifact)
        assert (node.name, node.description, artifact.name()) == ("n", "d", "o")
        assert node.function
        assert (node.function.requirements, node.function.file_dependencies) == (
            ("x",),
            ("test_decorators.py",),
        )
        options = node.options
        assert (options.retries, options.retry_delay, options.timeout) == (3, 60.0, 5.0)
        assert (options.pool, options.fuse, options.resources) == ("gpu", "all", {"memory_mb": 1024})
        assert node.severity == ("error" if node.kind == "check" else "warning")


@pytest.mark.parametrize("decorator", [op, metric, check])
@pytest.mark.parametrize(
    "given", [{"engine": "k8s"}, {"image": {"url": "x"}}, {"resources": 5}, {"timeout": "1h"}], ids=str
)
def test_what_is_refused_is_refused_at_decoration(decorator: Any, given: dict[str, Any]) -> None:
    with pytest.raises(AuthoringError, match=f"^@{decorator.__name__} 'plus': "):
        decorator(requirements=[], **given)(plus)


# --- calls


def test_calls_compute_at_once() -> None:
    found = op(requirements=[])(plus)(param(41))
    assert producer(found).outputs[0].type == "numeric"
    assert type(found).__name__ == "NumericArtifact"
    assert found.get() == 42


def test_lazy_calls_compute_when_they_are_asked() -> None:
    calls = []
    operator = op(requirements=[])(lambda a: calls.append(a) or a)  # type: ignore[func-returns-value]
    found = operator.lazy(5)
    global_config({"lazy": True})
    other = operator(6)
    assert (calls, producer(other).outputs[0].type) == ([], "untyped")
    assert (found.get(), other.get()) == (5, 6)


def test_lazy_and_eager_calls_are_derived_alike() -> None:
    source, number = param(), metric(requirements=[])(plus)
    assert source.node
    assert source.node.derived == [producer(number(source)), producer(number.lazy(source))]


def test_a_metric_that_fails_is_not_published_with_its_input() -> None:
    source = param()
    with pytest.raises(OperatorFailed, match="division"):
        metric(requirements=[])(lambda a: a / 0)(source)
    assert source.node
    assert source.node.derived == []


def test_local_calls_the_plain_function() -> None:
    assert op(plus).local(1, b=2) == 3


def test_operators_inside_of_operators_are_plain_functions() -> None:
    inner = op(requirements=[])(plus)
    outer = op(requirements=[])(lambda a: inner(a) * 10)
    assert outer.local(1) == 20
    assert outer(param(1)).get() == 20
    assert isinstance(inner(1), Artifact)


def test_several_outputs() -> None:
    train, test = op(requirements=[], outputs=["train", "test"])(lambda a: (a, a + 1))(1)
    assert (train.get(), test.get()) == (1, 2)


# --- requirements


def test_requirements_are_resolved_at_the_first_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = op(requirements="needs.txt")(plus)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequirementsMissing, match=r"needs\.txt"):
        operator.lazy(1)
    file = tmp_path / "needs.txt"
    file.write_text("rich\n")
    function = producer(operator.lazy(1)).function
    file.unlink()
    assert function
    assert function.requirements == ("rich",)
    assert producer(operator.lazy(1)).function == function


@pytest.mark.parametrize("make", [op, metric, check, to_operator])
def test_no_requirements_anywhere(make: Callable[[Any], Operator]) -> None:
    operator = make(plus)
    with pytest.raises(RequirementsMissing, match=r"'plus' needs.*requirements=\[\]"):
        operator.lazy(1)


# --- to_operator


def test_to_operator() -> None:
    operator = to_operator(lambda x: x * 2, name="double", description="d", requirements=[])
    found = operator(param(4))
    assert (found.get(), found.name(), producer(found).description) == (8, "double artifact", "d")


def test_to_operator_of_callables_without_a_name() -> None:
    operator = to_operator(functools.partial(plus, b=5), "plus five", None, ["test_decorators.py"], [])
    found = producer(operator.lazy(1))
    assert found.function
    assert found.function.file_dependencies == ("test_decorators.py",)
    assert found.function.call(1, 5) == 6
    with pytest.raises(AuthoringError, match="no name of its own"):
        to_operator(functools.partial(plus, b=5), requirements=[])


# --- on a worker

WORKER = """
import sys
sys.modules["aqueduct_provider"] = None  # Importing it fails from here on.
import pickle
with open(sys.argv[1], "rb") as file:
    function, arguments = pickle.load(file)
print(repr(function(*arguments)))
"""


def on_worker(folder: Path, function: Any, *arguments: Any) -> str:
    """What a Python without this package prints of the function's result."""
    file = folder / "call.pkl"
    file.write_bytes(cloudpickle.dumps((function, arguments)))
    command = [sys.executable, "-I", "-c", WORKER, str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert not ran.returncode, ran.stderr
    return ran.stdout.strip()


def test_another_operator_as_a_global(tmp_path: Path) -> None:
    @op(requirements=[])
    def helper(a: Any, *, times: int = 2) -> Any:
        return a * times

    @op(requirements=[])
    def outer(a: Any) -> Any:
        return helper(a) + helper(a, times=3) + helper.local(a)

    function = producer(outer.lazy(1)).function
    assert function
    assert on_worker(tmp_path, function.call, 5) == "35"


def test_an_operator_that_calls_itself(tmp_path: Path) -> None:
    @op(requirements=[])
    def factorial(n: int) -> Any:
        return n * factorial(n - 1) if n else 1

    assert on_worker(tmp_path, factorial, 5) == "120"
    assert on_worker(tmp_path, factorial.__wrapped__, 5) == "120"  # type: ignore[attr-defined]
    assert factorial(5).get() == 120


def test_keyword_arguments(tmp_path: Path) -> None:
    @op(requirements=[])
    def f(a: Any, /, b: Any = 2, *rest: Any, c: Any, d: Any = 4, **others: Any) -> Any:
        return [a, b, rest, c, d, others]

    function = producer(f.lazy(1, 2, param(), c=5, x=param())).function
    assert function
    assert on_worker(tmp_path, function.call, *"abrcdx") == repr(["a", "b", ("r",), "c", "d", {"x": "x"}])
    assert b"aqueduct_provider" not in cloudpickle.dumps(function.call)


def test_the_pickle_of_an_adapted_function_is_always_the_same() -> None:
    def f(a: Any, *, b: Any = 2) -> Any:
        return a

    first, second = (by_position(f, ("b",)) for _ in range(2))
    assert first is not second
    assert cloudpickle.dumps(first) == cloudpickle.dumps(second)
