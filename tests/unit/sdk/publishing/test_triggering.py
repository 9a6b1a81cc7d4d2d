"""Triggering: values are checked before anything is sent, and arrive as they were given."""

from __future__ import annotations

import enum
import hashlib
import math
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, WaitTimedOut
from aqueduct_provider.runner.codecs import decode
from aqueduct_provider.sdk.publishing.triggering import run_values
from aqueduct_provider.spec.run_values import VALUES_KEY, to_conf, value_digest
from aqueduct_provider.spec.version_label import version_label
from tests.support.deployment import Deployment
from tests.support.stored_flows import Flows

MODEL = {1, 2}
DEFAULTS: dict[str, Any] = {
    "number": 0.5,
    "text": "abc",
    "flag": False,
    "list": [1],
    "pair": (1, 2),
    "dict": {"a": 1},
    "table": pandas.DataFrame({"a": [1]}),
    "model": {0},
    "bytes": b"abc",
}


@aq.op(requirements=["pandas"], outputs=["seen"])
def seen(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any, free: Any = None) -> str:
    return repr([a, b, c, d, e, f, g.to_dict(), h, i, free])


@aq.op(requirements=[], outputs=["twice cafe\u0301"])
def twice(price: int) -> int:
    return 2 * price


@pytest.fixture
def flow(made: Deployment) -> aq.Flow:
    """A flow with a parameter of each kind; the last may be anything."""
    params = [made.client.create_param(name, default) for name, default in DEFAULTS.items()]
    return made.publish(artifacts=[seen.lazy(*params)])


def looks(value: Any) -> tuple[type, str]:
    return type(value), repr(value)


def conf(flow: aq.Flow, **values: Any) -> dict[str, Any]:
    found = run_values(flow.spec, values)
    return {**found.plain, **to_conf(found.given)}


# --- what goes where


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("number", 2, 2),
        ("text", "x", "x"),
        ("text", '{"a": 1}', '{"a": 1}'),
        ("flag", True, True),
        ("list", [1, [2, None]], [1, [2, None]]),
        ("pair", (1, 2), [1, 2]),
        ("dict", {"b": None}, {"b": None}),
        ("seen:free", 1, 1),
        ("seen:free", "x", "x"),
    ],
)
def test_json_goes_to_airflow_as_it_is(flow: aq.Flow, name: str, value: Any, sent: Any) -> None:
    found = run_values(flow.spec, {name: value})
    assert (found.plain, found.given, found.objects) == ({name: sent}, {}, {})
    assert type(found.plain[name]) is type(sent)


@pytest.mark.parametrize(
    ("name", "value", "serialization", "kind"),
    [
        ("number", math.nan, "json", "numeric"),
        ("number", math.inf, "json", "numeric"),
        ("number", numpy.float32(0.5), "numpy-scalar", "numeric"),
        ("flag", numpy.bool_(True), "numpy-scalar", "boolean"),
        ("dict", {1: "a"}, "pickle", "dictionary"),
        ("number", 2**70, "json", "numeric"),
        ("text", "x" * 40_000, "string", "string"),
        ("list", [MODEL], "pickle", "list"),
        ("model", MODEL, "pickle", "picklable"),
        ("bytes", b"x", "bytes", "bytes"),
        ("table", pandas.DataFrame({"a": [2]}), "parquet", "table"),
        ("seen:free", None, "pickle", "picklable"),
        ("seen:free", (1, 2), "json", "tuple"),
        ("seen:free", MODEL, "pickle", "picklable"),
    ],
)
def test_anything_else_is_stored_and_named(
    flow: aq.Flow, name: str, value: Any, serialization: str, kind: str
) -> None:
    found = run_values(flow.spec, {name: value})
    ((key, data),) = found.objects.items()
    digest = key.rpartition("/")[2]
    assert key == f"flows/{flow.id()}/values/{digest}"
    expected = {"sha256": digest, "serialization_type": serialization, "artifact_type": kind}
    assert conf(flow, **{name: value}) == {VALUES_KEY: {name: expected}}
    stored = found.given[name]
    assert value_digest(hashlib.sha256(data).hexdigest(), serialization) == digest
    assert looks(decode(data, stored.serialization_type, stored.artifact_type)) == looks(value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"numbr": 1}, r"^'churn' has no parameter 'numbr'\. Did you mean 'number'\?$"),
        ({1: 1}, r"^'churn' has no parameter 1\. There are: 'bytes'"),
        (
            {"number": "1"},
            r"^The value of parameter 'number' is of type .*\(str\), but must be of",
        ),
        ({"number": True}, r"'number' is of type boolean \(bool\), but must be of type numeric\.$"),
        ({"number": None}, r"'number' is of type picklable \(NoneType\), but must be of type numeric\.$"),
        ({"table": [1]}, r"'table' is of type list"),
        ({"model": (lock for lock in ())}, r"'model' is of type table \(generator\), but must be"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(
    made: Deployment, flow: aq.Flow, values: dict[Any, Any], message: str
) -> None:
    made.fake.asked.clear()
    with pytest.raises(AuthoringError, match=message):
        made.client.trigger("churn", values)
    assert made.fake.asked == []


def test_all_that_is_wrong_comes_at_once(flow: aq.Flow) -> None:
    with pytest.raises(AuthoringError) as caught:
        conf(flow, numbr=1, text=2)
    assert len(str(caught.value).splitlines()) == 2


def test_artifacts_are_no_values(made: Deployment, flow: aq.Flow) -> None:
    with pytest.raises(AuthoringError, match=r"'list' holds an artifact\. Give what its \.get\(\) ret"):
        conf(flow, list=[made.client.create_param("x", 1)])


@pytest.mark.parametrize("parameters", [[("rows", 1)], "rows"])
def test_parameters_must_be_a_dict(flow: aq.Flow, parameters: Any) -> None:
    with pytest.raises(AuthoringError, match="parameters must be a dict of values by name, not a"):
        run_values(flow.spec, parameters)


def test_a_flow_without_parameters_says_so(made: Deployment) -> None:
    made.publish(artifacts=[nothing()])
    with pytest.raises(AuthoringError, match=r"'churn' has no parameter 'rows'\. It has none\.$"):
        made.client.trigger("churn", {"rows": 1})


@aq.op(requirements=[])
def nothing() -> int:
    return 1


class Level(enum.IntEnum):
    """A number that only a pickle keeps."""

    LOW = 1


@pytest.mark.parametrize("values", [{"number": Level.LOW}, {"table": pandas.DataFrame({"a": [{1}]})}])
def test_what_no_run_can_be_given(flow: aq.Flow, values: dict[str, Any]) -> None:
    with pytest.raises(AuthoringError, match=r"The value of parameter '\w+' .* only a pickle keeps"):
        conf(flow, **values)


def test_compiled_flows_take_json_only(tmp_path: Path) -> None:
    flows = Flows(tmp_path)
    spec = flows.compiled({"n": 1}, "def predict(n): return n")
    assert run_values(spec, {"n": 2}).plain == {"n": 2}
    text = flows.compiled({"n": ""}, "def predict(n): return n", kinds={"n": "string"})
    assert run_values(text, {"n": "x" * 40_000}).plain == {"n": "x" * 40_000}
    untyped = flows.compiled({"n": 1}, "def predict(n): return n", kinds={"n": "untyped"})
    for value in (pandas.DataFrame({"a": [1]}), (1, 2), None, numpy.float32(1)):
        with pytest.raises(AuthoringError, match="'n' is not JSON: compiled flows take only such values"):
            run_values(untyped, {"n": value})


# --- the run


def test_values_arrive_as_they_were_given(made: Deployment, flow: aq.Flow) -> None:
    table = pandas.DataFrame({"a": [2, 3]})
    values = {"number": math.inf, "pair": (3, 4), "dict": {"b": [1]}, "table": table, "model": MODEL}
    run = made.client.trigger("churn", {**values, "seen:free": (1,)}, progress=False)
    made.work(run.run_id)
    left = [math.inf, "abc", False, [1], (3, 4), {"b": [1]}, table.to_dict(), MODEL, b"abc", (1,)]
    assert run.artifact("seen").get() == repr(left)
    assert run.parameters()["model"] == MODEL


def test_names_in_either_normal_form(made: Deployment) -> None:
    one, two = "caf\u00e9", "cafe\u0301"
    price = made.client.create_param(two, 1)
    flow = made.publish(two, artifacts=[twice.lazy(price)])
    assert flow.name() == one
    for spelling in (one, two):
        found = made.client.flow(spelling)
        assert found.id() == flow.id()
        assert run_values(found.spec, {spelling: 5}).plain == {one: 5}
    run = made.client.trigger(two, {two: 7}, progress=False)
    made.work(run.run_id, flow.record.dag_id)
    assert run.parameters() == {one: 7}
    assert run.artifact("twice " + two).get() == 14
    assert made.client.flow(one).metric_history(two)["value"].tolist() == [7.0]


def test_a_paused_dag(made: Deployment) -> None:
    made.publish().wait_until_deployed(progress=False)
    made.fake.dags["churn"].paused = True
    with pytest.raises(AuthoringError, match=r"^'churn' is paused in Airflow: .* unpause=True"):
        made.client.trigger("churn", {"rows": 1})
    assert made.fake.calls("POST", "dagRuns") == []
    made.client.trigger("churn", unpause=True)
    assert not made.fake.dags["churn"].paused
    assert len(made.fake.dags["churn"].runs) == 1


def test_a_run_begins_when_airflow_shows_the_latest_version(made: Deployment) -> None:
    made.publish()
    made.client.trigger("churn", progress=False)
    flow = made.publish_unseen()
    made.fake.on_trigger = lambda run: shown.append(made.fake.dags["churn"].description)
    shown: list[str] = []
    made.client.trigger("churn", progress=False)
    assert shown == [version_label(flow.record.version_id, 2)]


def test_a_version_that_does_not_come(made: Deployment) -> None:
    made.hidden.add("churn")
    made.publish(wait=0)
    with pytest.raises(WaitTimedOut, match="After 0 s Airflow does not show 'churn'"):
        made.client.trigger("churn", timeout=0, progress=False)
    assert made.fake.calls("POST", "dagRuns") == []


def test_a_flow_that_was_deleted_does_not_run(made: Deployment) -> None:
    made.publish()
    made.client.delete_flow("churn")
    with pytest.raises(AuthoringError, match=r"^'churn' was deleted on .*, so it cannot run; .*Publish"):
        made.client.trigger("churn", progress=False)
    assert made.fake.calls("POST", "dagRuns") == []
    made.publish()
    made.client.trigger("churn", progress=False)
    assert len(made.fake.dags["churn"].runs) == 1
