"""A fan-out of five operators in one Airflow task, and an operator outside that reads what they made."""

from __future__ import annotations

import aqueduct_provider.sdk as aq
from tests.integration.flow_place import Place

WAIT = 120


@aq.op(requirements=[], fuse="numbers", outputs=["doubled"])
def double(number: float) -> float:
    print("to be doubled:", number)
    return number * 2


@aq.op(requirements=[], fuse="numbers", outputs=["root"])
def root(number: float) -> float:
    if number < 0:
        raise ValueError("negative numbers have none")
    return float(number**0.5)


@aq.op(requirements=[], fuse="numbers", outputs=["below"])
def less(root: float) -> float:
    return root - 1


@aq.op(requirements=[], fuse="numbers", outputs=["half"])
def half(number: float) -> float:
    print("to be halved:", number)
    return number / 2


@aq.check(requirements=[], fuse="numbers", output="small", severity="warning")
def small(half: float) -> bool:
    return half < 1


@aq.op(requirements=[], outputs=["sum"])
def add(*numbers: float) -> float:
    return sum(numbers)


def test_each_operator_of_a_task_is_seen_and_a_failure_stops_what_needs_it(
    client: aq.Client, place: Place
) -> None:
    doubled = double(client.create_param("number", 8))
    halved = half(doubled)
    result = add(less(root(doubled)), halved)
    client.publish_flow("fused_flow", artifacts=[result], checks=[small(halved)], wait=WAIT)

    good = client.trigger("fused_flow", unpause=True, progress=False)
    assert good.wait(WAIT, progress=False) == aq.ExecutionStatus.SUCCEEDED, good.logs("add")
    assert place.client.tasks("fused_flow", good.run_id).keys() >= {"number", "numbers", "add"}
    assert len(place.client.tasks("fused_flow", good.run_id)) <= 4
    told = {one.task_id: one for one in good.operators()}
    assert told["small"].word == "warning"
    assert {one.word for name, one in told.items() if name != "small"} == {"succeeded"}
    assert all(one.duration and one.duration > 0 for one in told.values())
    assert [good.artifact(name).get() for name in ("doubled", "root", "below", "half", "sum")] == [
        16,
        4,
        3,
        8,
        11,
    ]
    assert "to be doubled: 8" in good.logs("double")
    assert "to be halved" not in good.logs("double")
    assert "::" not in good.logs("half")

    bad = client.trigger("fused_flow", {"number": -8}, progress=False)
    assert bad.wait(WAIT, progress=False) == aq.ExecutionStatus.FAILED
    told = {one.task_id: one for one in bad.operators()}
    words = {name: told[name].word for name in ("double", "root", "less", "half", "small", "add")}
    assert words == {
        "double": "succeeded",
        "root": "failed",
        "less": "canceled",
        "half": "succeeded",
        "small": "succeeded",
        "add": "canceled",
    }
    assert told["root"].tip == "Error in the function: ValueError: negative numbers have none"
    log = place.client.log("fused_flow", bad.run_id, "numbers")
    assert "1 of 5 operators failed, and 'less' could not be run without them." in log
