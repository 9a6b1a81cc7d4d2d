"""Artifacts of a run by their names, and the spec that says which is which."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.errors import IntegrityError, NotFound
from aqueduct_provider.sdk.flow import Flow
from aqueduct_provider.sdk.run import Run
from aqueduct_provider.sdk.session import Session
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout, delivered_spec
from tests.support.deployment import Deployment, features


def change_spec(made: Deployment, flow: Any, change: Callable[[bytes], bytes]) -> None:
    key = FlowLayout(flow.record.flow_id).version(flow.record.version_id)
    made.store.put(key, change(made.store.get(key)))


def read_anew(made: Deployment, run_id: str) -> Run:
    """The run, in a session that has read no spec yet."""
    session = Session(made.session.profile)
    return Flow(session, session.registry.find("churn")).fetch(run_id)


def test_the_spec_of_the_run_counts_not_the_one_in_its_place(made: Deployment) -> None:
    flow = made.publish()
    run_id = made.run(rows=4).run_id
    change_spec(made, flow, lambda text: text + b" ")
    # As it is delivered, it is the one that the run went by.
    assert read_anew(made, run_id).artifact("total").get() == 6
    key = delivered_spec("churn")
    made.store.put(key, made.store.get(key) + b" ")
    run = read_anew(made, run_id)
    with pytest.raises(
        IntegrityError, match=r"was changed after the run: its sha256 is .*Was it changed by hand"
    ):
        run.artifact("total")
    assert [one.word for one in run.operators()] == ["succeeded"] * 4


def test_a_version_that_is_gone(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=4)
    task = made.fake.dags["churn"].runs[run.run_id].tasks["total"]
    task.xcoms["return_value"]["spec"] = {"sha256": "0" * 64, "version": str(uuid.uuid4())}
    with pytest.raises(IntegrityError, match="cannot be read, so nothing says which artifact is which"):
        run.artifact("total")


def test_parameters_cost_one_request_each(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=4)
    before = len(made.fake.asked)
    assert run.parameters() == {"rows": 4}
    assert len(made.fake.asked) == before + 1


def test_parameters_that_can_run_code(made: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    made.publish(
        artifacts=[features(made.client.create_param("rows", 4)), made.client.create_param("set", {1})]
    )
    run = made.run()
    del made.fake.dags["churn"].runs[run.run_id]
    with pytest.raises(IntegrityError, match="'set' is not read"):
        run.parameters()
    assert run.parameters(trust_store=True) == {"rows": 4, "set": {1}}
    assert "does not know the run" in caplog.messages[-1]


def test_names(made: Deployment) -> None:
    made.publish()
    with pytest.raises(NotFound, match=r"has no artifact 'totl'\. Did you mean 'total'\?"):
        made.run().artifact("totl")


@pytest.mark.parametrize("version", ["../../x", "\ud800", str(uuid.uuid4()), 5])
def test_a_forged_version_in_an_exec_state(made: Deployment, version: Any) -> None:
    flow = made.publish()
    run_id = made.run(rows=4).run_id
    # Newer than the run: the latest version is not the one that it went by.
    made.publish(artifacts=made.author(total="sum"))
    for operator in flow.spec.operators:
        key = NativeLayout(str(flow.id()), run_id).exec_state(operator.id)
        made.store.put(key, json.dumps({**json.loads(made.store.get(key)), "version": version}).encode())
    run = read_anew(made, run_id)
    assert [one.word for one in run.operators()] == ["succeeded"] * 4
    assert read_anew(made, run_id).artifact("total").get() == 6


def test_a_forged_version_where_airflow_does_not_know_the_run(made: Deployment) -> None:
    flow = made.publish()
    run_id = made.run(rows=4).run_id
    version = str(uuid.uuid4())
    for operator in flow.spec.operators:
        key = NativeLayout(str(flow.id()), run_id).exec_state(operator.id)
        made.store.put(key, json.dumps({**json.loads(made.store.get(key)), "version": version}).encode())
    del made.fake.dags["churn"].runs[run_id]
    with pytest.raises(NotFound, match=f"Version {version} of the flow .* is missing"):
        read_anew(made, run_id).operators()
