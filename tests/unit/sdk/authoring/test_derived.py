from __future__ import annotations

from collections.abc import Iterator

import pytest

from aqueduct_provider.errors import AuthoringError, CheckFailed, OperatorFailed
from aqueduct_provider.sdk.authoring.derived import derive, remove_check, system_metric
from aqueduct_provider.sdk.authoring.evaluate import is_computed, value_of
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode
from aqueduct_provider.sdk.settings import global_config
from tests.support.operator_nodes import operator, param, step


@pytest.fixture
def size() -> ArtifactNode:
    return step(lambda value: value, param("x", 5), kind="metric", name="size")


@pytest.fixture
def lazy() -> Iterator[None]:
    global_config({"lazy": True})
    yield
    global_config({"lazy": False})


def names(artifact: ArtifactNode) -> list[str]:
    return [node.name for node in artifact.derived]


def test_records_an_operator_and_computes_it(size: ArtifactNode) -> None:
    output = derive("check", "small", (size,), lambda v: v < 9, requirements=("a==1",), severity="error")
    producer = output.producer
    assert (producer.kind, producer.name, producer.inputs) == ("check", "small", (size,))
    assert producer.function is not None
    assert (producer.function.requirements, producer.severity) == (("a==1",), "error")
    assert (output.name, output.named, output.type) == ("small artifact", False, "boolean")
    assert size.derived == [producer]
    assert is_computed(producer)
    assert value_of(output) is True


def test_lazy_ones_are_only_recorded(size: ArtifactNode) -> None:
    output = derive("metric", "twice", (size,), lambda v: 2 * v, lazy=True)
    assert output.type == "numeric"
    assert names(size) == ["twice"]
    assert not is_computed(output.producer)


def test_lazy_by_the_settings(size: ArtifactNode, lazy: None) -> None:
    assert not is_computed(derive("metric", "twice", (size,), lambda v: 2 * v).producer)


def test_what_raises_leaves_no_trace(size: ArtifactNode) -> None:
    with pytest.raises(OperatorFailed):
        derive("metric", "wrong", (size,), lambda v: "text")
    with pytest.raises(CheckFailed):
        derive("check", "small", (size,), lambda v: False, severity="error")
    assert names(size) == []


def test_the_same_name_on_the_same_artifacts_takes_the_place_of_the_one_before(size: ArtifactNode) -> None:
    other = param("y", 1)
    first = derive("check", "ok", (size,), lambda v: True)
    derive("check", "ok", (size, other), lambda v, w: True)
    derive("metric", "ok", (size,), lambda v: 1)
    again = derive("check", "ok", (size,), lambda v: True, severity="error")
    assert first.producer not in size.derived
    assert size.derived[-1] is again.producer
    assert names(size) == ["ok"] * 3
    assert names(other) == ["ok"]


def test_checks_can_be_removed(size: ArtifactNode) -> None:
    other = param("y", 1)
    both = derive("check", "both", (size, other), lambda v, w: True)
    derive("metric", "twice", (size,), lambda v: 2 * v)
    with pytest.raises(AuthoringError, match=r"'size artifact' has no check 'botj'. Did you mean 'both'\?"):
        remove_check(size, "botj")
    with pytest.raises(AuthoringError, match=r"has no check 'twice'\. There are: 'both'\."):
        remove_check(size, "twice")
    remove_check(size, "both")
    assert (names(size), names(other)) == (["twice"], [])
    with pytest.raises(AuthoringError, match=r"It has no checks\."):
        remove_check(size, "both")
    assert value_of(both) is True


@pytest.mark.parametrize(
    ("metric", "name"),
    [("runtime", "size runtime(sec) metric"), ("max_memory", "size max_memory(Mb) metric")],
)
def test_system_metrics_have_the_names_of_the_original(size: ArtifactNode, metric: str, name: str) -> None:
    output = system_metric(size, metric, lazy=False)
    producer = output.producer
    assert (producer.kind, producer.name, producer.system_metric) == ("system_metric", name, metric)
    assert (output.name, output.type, producer.function) == (f"{name} artifact", "numeric", None)
    assert size.derived == [producer]
    assert value_of(output) > 0


def test_what_is_measured_and_what_not(size: ArtifactNode) -> None:
    with pytest.raises(AuthoringError, match="metric 'cpu'; known are 'runtime' and 'max_memory'"):
        system_metric(size, "cpu", lazy=True)
    with pytest.raises(AuthoringError, match="'x' is a parameter: nothing is measured of it"):
        system_metric(param("x", 1), "runtime", lazy=True)
    with pytest.raises(AuthoringError, match="is itself a system metric: nothing is measured of it"):
        system_metric(system_metric(size, "runtime", lazy=True), "runtime", lazy=True)
    for kind in ("function", "check"):
        artifact = operator(lambda: True, kind=kind, name="f").outputs[0]
        assert system_metric(artifact, "runtime", lazy=True).producer.name == "f runtime(sec) metric"
