from __future__ import annotations

import gc
import logging
from collections import Counter
from typing import Any

import pandas
import pytest

from aqueduct_provider.errors import AuthoringError, CheckFailed, OperatorFailed
from aqueduct_provider.sdk.authoring import evaluate
from aqueduct_provider.sdk.authoring.derived import derive
from aqueduct_provider.sdk.authoring.evaluate import compute, is_computed, kept, parameters_of, value_of
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode
from tests.support.operator_nodes import operator, param, step


class Counted:
    """Functions that count their calls."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def add(self, *values: Any) -> Any:
        self.calls["add"] += 1
        return sum(values)

    def double(self, value: Any) -> Any:
        self.calls["double"] += 1
        return 2 * value


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_upstream_results_are_computed_once(counted: Counted) -> None:
    first = step(counted.add, param("a", 1), param("b", 2))
    left, right = step(counted.double, first), step(counted.double, first)
    assert not is_computed(first.producer)
    assert (value_of(left), value_of(right), value_of(left)) == (6, 6, 6)
    assert counted.calls == {"add": 1, "double": 2}
    assert is_computed(first.producer)


def test_what_was_computed_is_kept_encoded() -> None:
    pair = operator(lambda: (1, "x"), name="pair", outputs=2)
    assert [kept(output) for output in pair.outputs] == [None, None]
    compute(pair)
    found = [kept(output) for output in pair.outputs]
    assert [one.data for one in found if one] == [b"1", b"x"]


def test_a_function_that_changes_its_input_changes_nobody_elses() -> None:
    def spoil(table: pandas.DataFrame, numbers: list[int]) -> int:
        table["a"] = 0
        numbers.append(5)
        return 1

    default = [1]
    table, numbers = step(lambda: pandas.DataFrame({"a": [1]})), param("n", default)
    assert value_of(step(spoil, table, numbers)) == 1
    mine = value_of(table)
    mine["a"] = 7
    assert list(value_of(table)["a"]) == [1]
    assert value_of(numbers) == default == [1]


def test_types_become_known() -> None:
    node = operator(lambda: (pandas.DataFrame(), None), outputs=2)
    compute(node)
    assert [output.type for output in node.outputs] == ["table", "picklable"]
    assert value_of(node.outputs[1]) is None


def test_another_type_than_the_first_time() -> None:
    flag = param("as_text", False)
    result = step(lambda flag: "x" if flag else 1, flag, name="either")
    assert value_of(result) == 1
    with pytest.raises(
        OperatorFailed, match=r"'either': .* of type string \(str\), but must be of type numeric"
    ):
        value_of(result, {"as_text": True})


def test_a_lazy_graph_stays_untyped_when_asked_with_parameters() -> None:
    result = step(lambda n: n, param("n", 1))
    assert value_of(result, {"n": 3}) == 3
    assert result.type == "untyped"
    assert not is_computed(result.producer)


def test_a_long_chain() -> None:
    artifact = param("start", 0)
    for _ in range(2000):
        artifact = step(lambda value: value + 1, artifact)
    assert value_of(artifact) == 2000
    assert value_of(artifact, {"start": 5}) == 2005


def test_what_is_kept_ends_with_the_graph() -> None:
    node = operator(lambda: 1)
    compute(node)
    before = len(evaluate._kept)
    del node
    gc.collect()
    assert len(evaluate._kept) < before


# --- parameters


def test_only_what_depends_on_a_changed_parameter_is_computed_again(counted: Counted) -> None:
    a, b = param("a", 1), param("b", 10)
    total = step(counted.add, step(counted.double, a), step(counted.add, b))
    assert value_of(total) == 12
    counted.calls.clear()
    assert value_of(total, {"a": 5}) == 20
    assert counted.calls == {"double": 1, "add": 1}
    assert value_of(total) == 12
    assert counted.calls == {"double": 1, "add": 1}


def test_what_does_not_depend_on_it_is_computed_when_needed_and_kept(counted: Counted) -> None:
    a, other = param("a", 1), step(counted.double, param("b", 10))
    assert value_of(step(counted.add, a, other), {"a": 5}) == 25
    assert is_computed(other.producer)
    assert value_of(a, {"a": 5}) == 5
    assert value_of(a) == 1


@pytest.mark.parametrize("default", [(1, 2), {"a": {1, 2}}, [{1}, (1,)], b"\xff", None])
def test_values_go_through_the_codec(default: Any) -> None:
    result = value_of(step(lambda value: value, param("p", default)))
    assert result == default
    assert type(result) is type(default)


def test_an_unknown_parameter() -> None:
    artifact = step(lambda rate, size: rate, param("rate", 1.5), param("size", 3), name="train")
    with pytest.raises(AuthoringError) as caught:
        value_of(artifact, {"raet": 2.5})
    assert str(caught.value) == (
        "'train artifact' depends on no parameter 'raet'. Did you mean 'rate'? "
        "Its parameters are: 'rate', 'size'."
    )
    with pytest.raises(
        AuthoringError, match=r"depends on no parameter 'zzz'\. Its parameters are: 'rate', 'size'"
    ):
        value_of(artifact, {"zzz": 1})
    with pytest.raises(AuthoringError, match="depends on no parameter, so 'rate' cannot be set"):
        value_of(step(lambda: 1), {"rate": 2})


@pytest.mark.parametrize("given", ["rate", [("rate", 1)], 5])
def test_parameters_are_a_dict(given: Any) -> None:
    with pytest.raises(
        AuthoringError, match=f"must be a dict, name -> value, but it is a {type(given).__name__}"
    ):
        value_of(step(lambda rate: rate, param("rate", 1)), given)


@pytest.mark.parametrize("declared", ["numeric", "untyped"])
def test_a_value_of_another_type_than_the_default(declared: str, counted: Counted) -> None:
    artifact = step(counted.double, param("rate", 1.5, declared))
    with pytest.raises(AuthoringError) as caught:
        value_of(artifact, {"rate": "fast"})
    assert str(caught.value) == (
        "The value of parameter 'rate' is of type string (str), "
        "but must be of type numeric, as its default is."
    )
    assert not counted.calls


def test_a_parameter_without_a_default_takes_values_of_every_type() -> None:
    artifact = step(lambda value: value, param("p", None))
    for value in ("x", 5, None, [1]):
        assert value_of(artifact, {"p": value}) == value
    untyped = param("q", None, "untyped")
    assert value_of(untyped) is None
    assert untyped.type == "untyped"


def test_a_value_that_cannot_be_stored() -> None:
    artifact = step(lambda value: value, param("p", None))
    with pytest.raises(AuthoringError, match="The value of parameter 'p' is a generator"):
        value_of(artifact, {"p": (i for i in [])})


def test_parameters_of() -> None:
    a, b = param("a", 1), param("b", 2)
    result = step(lambda x, y: 1, step(lambda x: x, a), b)
    assert parameters_of([result]) == {"a": a, "b": b}
    assert parameters_of([step(lambda: 1)]) == {}


# --- checks and system metrics


def check(passes: bool, severity: str) -> ArtifactNode:
    return step(lambda value: passes, param("x", 1), kind="check", severity=severity, name="is_small")


def test_a_failed_check_of_severity_error_raises_every_time() -> None:
    artifact = check(False, "error")
    for _ in range(2):
        with pytest.raises(CheckFailed, match=r"^The check 'is_small' did not pass \(returned False\)\.$"):
            value_of(artifact)
        assert is_computed(artifact.producer)
    with pytest.raises(CheckFailed):
        compute(artifact.producer)
    assert value_of(check(True, "error")) is True


def test_a_failed_check_of_severity_warning_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    artifact = check(False, "warning")
    with caplog.at_level(logging.WARNING, logger="aqueduct"):
        assert value_of(artifact) is False
        assert value_of(artifact) is False
    assert [record.getMessage() for record in caplog.records] == [
        "The check 'is_small' did not pass (returned False)."
    ]


def test_an_error_upstream_names_the_operator_that_failed() -> None:
    def broken() -> None:
        raise ValueError("no")

    with pytest.raises(OperatorFailed, match="Error in 'broken': ValueError: no"):
        value_of(step(lambda value: value, step(broken)))


def test_an_interrupt_leaves_nothing_behind() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    artifact = step(interrupted)
    with pytest.raises(KeyboardInterrupt):
        value_of(artifact)
    assert not is_computed(artifact.producer)


def test_system_metrics_are_those_of_the_producer(counted: Counted) -> None:
    artifact = step(counted.double, param("x", 1))
    runtime = derive("system_metric", "r", (artifact,), system_metric="runtime", lazy=True)
    memory = derive("system_metric", "m", (artifact,), system_metric="max_memory", lazy=True)
    kept = evaluate._results(artifact.producer, {})[artifact.producer]
    assert value_of(runtime) == kept.runtime
    assert value_of(memory) == kept.max_memory
    assert counted.calls["double"] == 1
    # Another call of the function, measured anew.
    assert value_of(runtime, {"x": 2}) > 0
    assert counted.calls["double"] == 2
