"""What a call of a decorated function records, and what it refuses."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.artifacts import Artifact, artifact_for
from aqueduct_provider.sdk.authoring.calls import by_position
from aqueduct_provider.sdk.authoring.decorators import check, metric, op, to_operator
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode
from aqueduct_provider.sdk.authoring.parameters import parameter_node


def param(name: str = "p", default: Any = 1) -> Artifact:
    return artifact_for(parameter_node(name, default, "", implicit=False))


def node(artifact: Any) -> ArtifactNode:
    found: ArtifactNode = artifact.node
    return found


def producer(artifact: Any) -> OperatorNode:
    return node(artifact).producer


def inputs(artifact: Any) -> list[tuple[str, Any]]:
    """Name and default of each input, which are parameters."""
    found = []
    for item in producer(artifact).inputs:
        assert item.producer.parameter
        found.append((item.name, item.producer.parameter.default))
    return found


@op(requirements=["pandas"], file_dependencies=["test_calls.py"], retries=2)
def f(a: Any, b: Any = 2, *, c: Any = 3) -> Any:
    """What f does."""
    return [a, b, c]


@op(requirements=[])
def positional(a: Any, /, b: Any, *rest: Any, c: Any = 3, **others: Any) -> Any:
    return [a, b, rest, c, others]


@metric(requirements=[])
def m(a: Any) -> float:
    return 1.0


@check(requirements=[], severity="error")
def c(a: Any) -> bool:
    return True


# --- what is recorded


def test_an_operator() -> None:
    table = param()
    found = f.lazy(table)
    operator = producer(found)
    assert (operator.kind, operator.name, operator.description) == ("function", "f", "What f does.")
    assert operator.inputs[0] is node(table)
    assert operator.outputs == (node(found),)
    assert (found.name(), node(found).named, node(found).type) == ("f artifact", False, "untyped")
    assert operator.options.retries == 2
    assert operator.function
    assert operator.function.requirements == ("pandas",)
    assert operator.function.file_dependencies == ("test_calls.py",)
    assert operator.function.folder.name == "authoring"


def test_each_call_is_an_operator_of_its_own() -> None:
    first, second = f.lazy(1), f.lazy(1)
    assert producer(first) is not producer(second)
    assert producer(first).number < producer(second).number


def test_plain_values_and_defaults_become_parameters() -> None:
    found = f.lazy(None, c="x")
    assert inputs(found) == [("f:a", None), ("f:b", 2), ("f:c", "x")]
    parameters = [item.producer for item in producer(found).inputs]
    assert [item.parameter.implicit for item in parameters if item.parameter] == [True] * 3
    assert [item.named for item in producer(found).inputs] == [False] * 3
    assert [item.type for item in producer(found).inputs] == ["untyped", "numeric", "string"]
    assert [item.number for item in parameters] == sorted(item.number for item in parameters)


def test_parameters_are_named_after_the_operator() -> None:
    named = op(name="my op", requirements=[])(lambda a: a)
    assert inputs(named.lazy(1)) == [("my op:a", 1)]


def test_inputs_stand_in_the_order_of_the_signature() -> None:
    first, second = param("first"), param("second")
    found = producer(f.lazy(c=first, a=second))
    assert [item.name for item in found.inputs] == ["second", "f:b", "first"]


_MISSING = object()


@op(requirements=[])
def gap(x: Any, y: Any = _MISSING, z: Any = 3, *, key: Any = len, **others: Any) -> Any:
    return [x, "missing" if y is _MISSING else y, z, key is len, others]


def test_a_default_that_is_no_parameter_stays_in_the_function() -> None:
    assert inputs(gap.lazy(1)) == [("gap:x", 1), ("gap:z", 3)]
    assert gap(1).get() == [1, "missing", 3, True, {}]
    assert inputs(gap.lazy(1, y=_MISSING, z=4, key=len)) == [("gap:x", 1), ("gap:z", 4)]
    assert gap(1, z=param(default=5), more=param(default=6)).get() == [1, "missing", 5, True, {"more": 6}]
    assert gap(1, 2).get() == [1, 2, 3, True, {}]
    assert gap(1, 2, 4, key=None).get() == [1, 2, 4, False, {}]


def test_what_can_only_be_given_by_position_is_not_given_after_a_gap() -> None:
    numbers = op(requirements=[])(lambda x, y=_MISSING, z=3, /, *rest: [x, y is _MISSING, z, *rest])
    assert inputs(numbers.lazy(1)) == [("<lambda>:x", 1)]
    assert numbers(1).get() == [1, True, 3]
    assert numbers(1, 2, 4, param(default=5)).get() == [1, False, 4, 5]


def test_integer_keys_of_a_default() -> None:
    weights = op(requirements=[])(lambda x, weight={0: 1.0, 1: 5.0}: weight[1] * x)
    assert weights(2).get() == 10.0


def test_each_call_has_the_default_as_it_was_when_the_function_was_decorated() -> None:
    @op(requirements=[])
    def appended(x: Any, found: Any = []) -> Any:  # noqa: B006
        found.append(x)
        return found

    assert appended.local(1) == [1]
    assert (appended(2).get(), appended(3).get()) == ([2], [3])
    assert inputs(appended.lazy(4)) == [("appended:x", 4), ("appended:found", [])]


def test_inputs_of_all_kinds() -> None:
    x, y, z = param("x"), param("y"), param("z")
    found = producer(positional.lazy(1, 2, x, y, extra=z, more=x))
    names = [item.name for item in found.inputs]
    assert names == ["positional:a", "positional:b", "x", "y", "positional:c", "z", "x"]
    assert found.function
    # As on a worker: by position.
    assert found.function.call(*range(7)) == [0, 1, (2, 3), 4, {"extra": 5, "more": 6}]


def test_functions_without_keywords_are_packaged_as_they_are() -> None:
    found = producer(m.lazy(1)).function
    assert found
    assert found.call is m.__wrapped__


def test_no_inputs_at_all() -> None:
    assert producer(op(requirements=[])(lambda: 1).lazy()).inputs == ()
    assert producer(op(requirements=[])(lambda *a: a).lazy()).inputs == ()


def test_several_outputs_are_a_list() -> None:
    pair = op(requirements=[], num_outputs=2)(lambda a: (a, a)).lazy(1)
    assert [item.name() for item in pair] == ["<lambda> artifact", "<lambda> artifact (1)"]
    assert producer(pair[0]).outputs == (node(pair[0]), node(pair[1]))
    train, test = op(requirements=[], outputs=["train", "test"])(lambda a: (a, a)).lazy(1)
    assert [(item.name(), node(item).named) for item in (train, test)] == [("train", True), ("test", True)]


def test_one_named_output_is_an_artifact() -> None:
    assert op(requirements=[], outputs=["scored"])(lambda a: a).lazy(1).name() == "scored"


def test_metrics_and_checks() -> None:
    table = param()
    number, verdict = m.lazy(table), c.lazy(table)
    assert (type(number).__name__, node(number).type) == ("NumericArtifact", "numeric")
    assert (type(verdict).__name__, node(verdict).type) == ("BoolArtifact", "boolean")
    assert producer(verdict).severity == "error"
    assert node(table).derived == [producer(number), producer(verdict)]
    further = c.lazy(number)
    assert node(number).derived == [producer(further)]


def test_a_metric_of_the_same_artifact_twice_is_derived_once() -> None:
    table = param()
    found = metric(requirements=[])(lambda a, b: 1).lazy(table, table)
    assert node(table).derived == [producer(found)]


def test_operators_are_not_derived() -> None:
    table = param()
    f.lazy(table)
    assert node(table).derived == []


def test_metrics_of_plain_values() -> None:
    assert inputs(m.lazy(5)) == [("m:a", 5)]


def test_implicit_parameters_are_logged_without_their_values(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "aqueduct"):
        m.lazy("s3cret")
    (line,) = [record.getMessage() for record in caplog.records]
    assert "'m:a'" in line
    assert "s3cret" not in line


# --- the plain function


@pytest.mark.parametrize("decorator", [op, metric, check])
def test_local_calls_take_the_values_of_artifacts(decorator: Any) -> None:
    plain = decorator(requirements=[])(lambda a, *rest, **named: [a, rest, named])
    number, computed = param(default=5), op(requirements=[])(lambda a: [a]).lazy(6)
    result = plain.local(number, [computed, 1], key={"k": (number, 2)})
    assert result == [5, ([[6], 1],), {"key": {"k": (5, 2)}}]
    assert plain.local(1, key=None) == [1, (), {"key": None}]


def test_local_calls_in_other_spellings() -> None:
    number = param(default=5)
    assert to_operator(lambda a: a + 1, name="plus", requirements=[]).local(number) == 6
    assert op("named")(lambda a: a + 1).local(a=number) == 6
    assert op(lambda a: a + 1).local(number) == 6


def test_local_calls_change_no_argument() -> None:
    given = [param(default=[1])]
    assert op(requirements=[])(lambda a: a[0].append(2) or a).local(given) == [[1, 2]]
    assert isinstance(given[0], Artifact)
    assert given[0].get() == [1]


# --- what is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f.lazy(), "Argument 'a' of 'f' has no value and no default"),
        (lambda: f.lazy(1, 2, 3), "'f' was called with 3 arguments by position, but takes 2: a, b"),
        (lambda: f.lazy(1, d=3), "'f' takes no argument 'd' by name. There are: 'a', 'b', 'c'"),
        (lambda: f.lazy(1, cc=3), "'f' takes no argument 'cc' by name. Did you mean 'c'"),
        (lambda: f.lazy(1, a=3), "'f': multiple values for argument 'a'"),
        (lambda: positional.lazy(b=1), "Argument 'a' of 'positional' has no value"),
        (lambda: op(requirements=[])(lambda: 1).lazy(1), "'<lambda>' was called with 1 .* takes 0."),
        (lambda: op(requirements=[])(lambda *, k: 1).lazy(), "Argument 'k' of .* has no value"),
        (lambda: m.lazy(), "Argument 'a' of 'm' has no value"),
    ],
)
def test_arguments_that_do_not_fit(call: Any, message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        call()


@pytest.mark.parametrize("decorator", [metric, check])
def test_metrics_and_checks_need_an_input(decorator: Any) -> None:
    with pytest.raises(AuthoringError, match=rf"The {decorator.__name__} 'nothing' has no input"):
        decorator("nothing", requirements=[])(lambda: 1).lazy()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f.lazy(m.lazy(1)), "Argument 'a' of 'f' is the output of the metric 'm'; metrics feed"),
        (lambda: f.lazy(1, c=c.lazy(1)), "Argument 'c' of 'f' is the output of the check 'c'; nothing"),
        (lambda: m.lazy(c.lazy(1)), "Argument 'a' of 'm' is the output of the check 'c'"),
        (lambda: c.lazy(c.lazy(1)), "Argument 'a' of 'c' is the output of the check 'c'"),
        (lambda: positional.lazy(1, 2, m.lazy(1)), r"Entry 1 of '\*rest' of 'positional' is the output"),
        (lambda: positional.lazy(1, 2, k=m.lazy(1)), r"Entry 'k' of '\*\*others' of 'positional' is the"),
    ],
)
def test_what_metrics_and_checks_may_feed(call: Any, message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        call()


def test_metrics_feed_metrics_and_checks() -> None:
    number = m.lazy(1)
    assert producer(m.lazy(number)).inputs == (node(number),)
    assert producer(c.lazy(number)).inputs == (node(number),)


def test_system_metrics_count_as_metrics() -> None:
    operator = OperatorNode("system_metric", "runtime of f", "", system_metric="runtime")
    operator.outputs = (ArtifactNode(operator, "runtime", named=False, type="numeric"),)
    runtime = artifact_for(operator.outputs[0])
    assert producer(c.lazy(runtime)).inputs == operator.outputs
    with pytest.raises(AuthoringError, match="output of the metric 'runtime of f'"):
        f.lazy(runtime)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: positional.lazy(1, 2, 3), r"Entry 1 of '\*rest' of 'positional' is of type int, but \*args"),
        (lambda: positional.lazy(1, 2, [param()]), "is of type list, but .* each as an entry of its own"),
        (lambda: positional.lazy(1, 2, k="v"), r"Entry 'k' of '\*\*others' of 'positional' is of type str"),
    ],
)
def test_variable_arguments_are_artifacts(call: Any, message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        call()


@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: (x,), lambda x: {"k": [x]}])
def test_collections_of_artifacts(wrap: Any) -> None:
    with pytest.raises(AuthoringError, match=r"argument 'a' of 'f' holds an artifact.*or through \*args"):
        f.lazy(wrap(param()))


def test_a_function_instead_of_its_result() -> None:
    with pytest.raises(AuthoringError, match=r"Argument 'a' of 'm' is the function 'f' itself.*f\(\.\.\.\)"):
        m.lazy(f)


def test_a_value_that_cannot_be_stored() -> None:
    with pytest.raises(AuthoringError, match=r"argument 'a' of 'f' is a generator.*make it a list"):
        f.lazy(number for number in [1])


def test_an_artifact_that_was_read_back() -> None:
    class ReadBack:
        node = None

    with pytest.raises(AuthoringError, match=r"Argument 'a' of 'f' was read back from a run.*\.get\(\)"):
        f.lazy(Artifact(ReadBack()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ["no.csv"],
            r"^file_dependencies of 'reads': 'no\.csv' is not there; it was looked for in .*authoring",
        ),
        (["../outside.csv"], "leads out of"),
        (["/dev/null"], "leads out of"),
        (["test_calls.py", "./test_calls.py"], "is named twice"),
    ],
)
def test_files_that_cannot_be_taken_along_are_refused_at_the_call(files: list[str], message: str) -> None:
    for decorator in (op, metric, check):
        operator = decorator("reads", requirements=[], file_dependencies=files)(lambda a: a)
        for call in (operator, operator.lazy):
            with pytest.raises(AuthoringError, match=message):
                call(1)


def test_a_call_that_is_refused_leaves_no_trace() -> None:
    table = param()
    with pytest.raises(AuthoringError):
        metric(requirements=[])(lambda a, b: 1).lazy(table, c.lazy(1))
    assert node(table).derived == []


# --- the adapter


def test_by_position_looks_like_the_function() -> None:
    function = f.__wrapped__
    call = by_position(function, ("b", "c"))
    assert (call.__name__, call.__doc__, call.__module__) == ("f", "What f does.", function.__module__)
    assert vars(call)["__wrapped__"] is function
    assert call(1, 2, 3) == [1, 2, 3]
    with pytest.raises(ValueError, match="shorter"):
        by_position(function, ("b", "c"))(1)
