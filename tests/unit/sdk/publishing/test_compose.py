"""A recorded flow becomes the spec of one version, and the objects that it names."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, PackagingError, RequirementsMissing
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, Options
from aqueduct_provider.sdk.packaging.package import Package
from aqueduct_provider.sdk.packaging.user_function import UserFunction
from aqueduct_provider.sdk.publishing.compose import Composition, FlowRequest, Packager, compose
from aqueduct_provider.sdk.schedule import CronText, OnAssets
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import (
    AfterFlowsSchedule,
    AssetsSchedule,
    CronSchedule,
    ExtractOperator,
    LoadOperator,
    MetricOperator,
)
from aqueduct_provider.spec.system_operators import SqlExtract, SqlLoad
from tests.support.example_specs import VERSION_ID
from tests.support.node_graphs import (
    STORE,
    call,
    check,
    extract,
    light_packager,
    metric,
    op,
    param,
    save,
    user_function,
)

CREATED = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
FLOW = FlowRequest("My flow")


def composed(
    *artifacts: ArtifactNode,
    flow: FlowRequest = FLOW,
    store: dict[str, Any] = STORE,
    packager: Packager = light_packager,
) -> Composition:
    flow = replace(flow, artifacts=artifacts)
    return compose(flow, store, version_id=VERSION_ID, created_at=CREATED, packager=packager)


def message(*artifacts: ArtifactNode, **options: Any) -> str:
    with pytest.raises(AuthoringError) as caught:
        composed(*artifacts, **options)
    return without_places(caught.value)


def without_places(error: Exception) -> str:
    """The message without the lines that recorded the operators; test_flow_problems.py has those."""
    return re.sub(r"\n +at [^\n]*:\d+", "", str(error))


def small_flow() -> list[ArtifactNode]:
    x, y = call("two", param("p", 1), param("model", b"bytes"), outputs=2)
    check("c", metric("m", x, param("m:limit", 2, implicit=True)))
    return [x, y]


def test_a_path_of_this_machine_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    function = UserFunction(lambda: __file__, (), (), Path(__file__).parent)
    composed(*call("reads", function=function))
    assert "'reads' uses __file__, which is a path of this machine" in caplog.text


def test_checks_that_would_notify_and_are_left_out_are_named(caplog: pytest.LogCaptureFixture) -> None:
    seed = param("seeds left out", 1)
    table = op("table", seed)
    small = check(
        "small",
        op("seedling", seed),
        notifications=[{"type": "webhook", "connection_id": "ops", "on": ["failure"]}],
    )
    composed(table, flow=replace(FLOW, checks=[]))
    composed(table, small.producer.inputs[0])
    assert caplog.text == "", "named, or in the flow"
    composed(table)
    assert "Left out of 'My flow', so that nobody is notified of them: the checks 'small' (on" in caplog.text


# --- the spec


def test_extracts_and_loads() -> None:
    table = extract("q", param("country", "Italy"), queries=["SELECT 1", "SELECT * FROM $"])
    save(table, param("name", "sales"), table="")
    save(table, table="a")
    spec = composed(table).spec
    assert [(operator.task_id, operator.type) for operator in spec.operators] == [
        ("country", "param"),
        ("q", "extract"),
        ("name", "param"),
        ("save_to_warehouse", "load"),
        ("save_to_warehouse_1", "load"),
    ]
    _, extracted, _, first, second = spec.operators
    assert isinstance(extracted, ExtractOperator)
    assert isinstance(extracted.source, SqlExtract)
    assert extracted.source.queries == ("SELECT 1", "SELECT * FROM $")
    assert isinstance(first, LoadOperator)
    assert isinstance(first.target, SqlLoad)
    assert (first.inputs, first.target.table) == (("name", "q_artifact"), "")
    assert isinstance(second, LoadOperator)
    assert second.target.connection_id == "wh"


def test_a_load_that_the_spec_refuses_is_told_by_its_name() -> None:
    table = op("f", type_="numeric")
    save(table)
    assert "operator 'save to warehouse', inputs" in message(table)


def test_the_flow_itself() -> None:
    flow = FlowRequest("My flow", description="About *it*.", k_latest_runs=3, tags=("team a",))
    store = {"type": "s3", "bucket": "b", "credentials_path": "/aws/credentials"}
    composition = composed(op("f"), flow=flow, store=store)
    document = json.loads(composition.text)
    assert {field: value for field, value in document.items() if field not in ("artifacts", "operators")} == {
        "spec_version": 1,
        "flow": {
            "id": "5d07d5b1-25fe-5e33-87cc-5e0caff1ca2a",
            "name": "My flow",
            "description": "About *it*.",
            "tags": ["team a"],
            "owner": "",
        },
        "version": {"id": VERSION_ID, "number": None, "created_at": "2026-01-31T12:00:00+00:00"},
        "dag_id": "My_flow",
        "schedule": None,
        "artifact_store": store,
        "parameters": [],
        "retention": {"k_latest_runs": 3},
    }
    assert composition.spec == parse(composition.text, "test")


def test_the_owner_is_who_publishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    owners = [
        composed(op("f"), flow=FlowRequest("f", owner=owner)).spec.flow.owner for owner in (None, "", "b")
    ]
    assert owners == ["ada", "", "b"]
    for wrong in (5, "x" * 201):
        with pytest.raises(AuthoringError, match="owner must be text of at most 200 characters"):
            composed(op("f"), flow=FlowRequest("f", owner=wrong))  # type: ignore[arg-type]


def test_a_user_without_a_name_owns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987_654_321)
    assert composed(op("f"), flow=FlowRequest("f", owner=None)).spec.flow.owner == ""


def test_the_graph() -> None:
    spec = composed(*small_flow()).spec
    assert [operator.task_id for operator in spec.operators] == ["p", "model", "two", "m_limit", "m", "c"]
    assert [operator.id for operator in spec.operators] == [operator.task_id for operator in spec.operators]
    assert [(item.name, item.type.value) for item in spec.artifacts] == [
        ("p", "numeric"),
        ("model", "bytes"),
        ("two artifact", "untyped"),
        ("two artifact (1)", "untyped"),
        ("m:limit", "numeric"),
        ("m artifact", "numeric"),
        ("c artifact", "boolean"),
    ]
    assert [parameter.name for parameter in spec.parameters] == ["p", "model", "m:limit"]
    assert {operator.task_id: operator.inputs for operator in spec.operators if operator.inputs} == {
        "two": ("p", "model"),
        "m": ("two_artifact", "m_limit"),
        "c": ("m_artifact",),
    }


def test_objects() -> None:
    composition = composed(*small_flow())
    flow_id = composition.spec.flow.id
    value = hashlib.sha256(b"bytes").hexdigest()
    assert composition.objects == {
        f"flows/{flow_id}/values/{value}": b"bytes",
        **{f"functions/{hashlib.sha256(name).hexdigest()}.zip": name for name in (b"two", b"m", b"c")},
    }
    m = composition.spec.operators[4]
    assert isinstance(m, MetricOperator)
    assert composition.objects[m.code.key] == b"m"
    assert m.code.requirements is None
    assert composition.archives() == [("two", b"two"), ("m", b"m"), ("c", b"c")]


def test_the_same_flow_gives_the_same_bytes() -> None:
    first, again = composed(*small_flow()), composed(*small_flow())
    assert first.text == again.text
    assert list(first.objects.items()) == list(again.objects.items())


def test_equal_parameters_are_one() -> None:
    x, y = op("f", param("p", b"1")), op("g", param("p", b"1"))
    composition = composed(x, y)
    assert [operator.inputs for operator in composition.spec.operators] == [(), ("p",), ("p",)]
    assert len(composition.objects) == 3


def test_snapshots() -> None:
    spec = composed(*small_flow(), flow=replace(FLOW, disable_snapshots=True)).spec
    assert [item.name for item in spec.artifacts if not item.keep_snapshot] == [
        "two artifact",
        "two artifact (1)",
    ]


def test_a_flow_of_many_operators() -> None:
    artifacts = [op("f", param("f:x", number, implicit=True)) for number in range(500)]
    spec = composed(op("all", *artifacts)).spec
    assert len(spec.operators) == 1001
    assert spec.operators[999].task_id == "f_499"


# --- schedules


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("", None),
        ("  ", None),
        (" 0 6 * * 1-5 ", ("0 6 * * 1-5", "UTC")),
        ("@daily", ("@daily", "UTC")),
        (CronText("0 6 * * *", "Europe/Berlin"), ("0 6 * * *", "Europe/Berlin")),
    ],
)
def test_schedules(schedule: str, expected: tuple[str, str] | None) -> None:
    found = composed(op("f"), flow=replace(FLOW, schedule=schedule)).spec.schedule
    cron = (found.cron, found.timezone) if isinstance(found, CronSchedule) else found
    assert cron == expected


def test_a_flow_after_others() -> None:
    schedule = composed(op("f"), flow=replace(FLOW, source_flows=("a", "b c"))).spec.schedule
    assert isinstance(schedule, AfterFlowsSchedule)
    assert schedule.flows == ("a", "b c")


def test_a_flow_on_assets() -> None:
    schedule = composed(op("f"), flow=replace(FLOW, schedule=OnAssets(("s3://b/a", "c")))).spec.schedule
    assert isinstance(schedule, AssetsSchedule)
    assert schedule.assets == ("s3://b/a", "c")


# --- what would fail later


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": ""}, "needs a name"),
        ({"schedule": "nonsense"}, "The schedule 'nonsense' is not a cron expression that fires at fixed"),
        ({"schedule": "0 0 31 2 *"}, "The schedule '0 0 31 2 *' is not a cron"),
        ({"schedule": "@daily", "source_flows": ("a",)}, "(@daily) or after other flows (a), not both"),
        (
            {"schedule": OnAssets(("a",)), "source_flows": ("b",)},
            "(on_assets) or after other flows (b), not both",
        ),
        ({"schedule": ["s3://b/a"]}, "aq.on_assets(...) and their like give, not list"),
        ({"schedule": OnAssets(("aqueduct://My%20flow",))}, "schedule.assets[0]: this flow updates it"),
        ({"schedule": CronText("@daily", "Mars/Base")}, "schedule.timezone: no such time zone"),
        ({"source_flows": ("My flow",)}, "schedule.flows[0]: a flow cannot wait for itself"),
        ({"k_latest_runs": 0}, "k_latest_runs=0"),
        ({"k_latest_runs": -1}, "k_latest_runs=-1"),
        ({"k_latest_runs": True}, "k_latest_runs=True"),
        ({"k_latest_runs": 1.5}, "k_latest_runs=1.5"),
        ({"tags": ("x" * 101,)}, "flow.tags[0]: must have at most 100 characters"),
    ],
)
def test_a_flow_that_airflow_could_not_run(changes: dict[str, Any], expected: str) -> None:
    assert expected in message(op("f"), flow=replace(FLOW, **changes))


def test_problems_of_the_spec_name_what_the_user_knows() -> None:
    said = message(op("train it", options=Options(retries=-1)))
    assert said == "The flow 'My flow' cannot be published: operator 'train it', retries: must be at least 0"
    bad = op("g", op("f", options=Options(retries=-1)), options=Options(timeout=0.0))
    bad.type = "nonsense"
    lines = message(bad).split("\n")
    assert lines[0] == "The flow 'My flow' cannot be published:"
    assert {line.partition(":")[0] for line in lines[1:]} == {
        "- operator 'f', retries",
        "- operator 'g', timeout",
        "- artifact 'g artifact', type",
    }


def test_an_operator_without_the_one_output_that_it_must_have() -> None:
    x = op("f")
    call("m", x, kind="metric", type_="numeric", outputs=2)
    assert "operator 'm', outputs: an operator of type metric has exactly 1 output" in message(x)


def test_secrets_and_names_are_refused() -> None:
    assert "password" in message(op("f"), store={**STORE, "password": "x"})
    assert "'url' holds a URL with a password" in message(op("f", param("url", "mysql://me:pw1@db/shop")))
    described = replace(FLOW, description="mysql://me:pw1@db/shop")
    assert "The flow's description holds" in message(op("f"), flow=described)
    assert "unknown field" in message(op("f"), store={**STORE, "bucket": "x"})
    assert "aqueduct_values" in message(op("f", param("aqueduct_values", 1)))
    assert "2 artifacts named 'x'" in message(op("f", op("g", outputs=["x"]), outputs=["x"]))
    assert "name at least one artifact" in message()


# --- packaging


class Recording:
    """A packager that fails for some operators."""

    def __init__(self, **errors: Exception) -> None:
        self.errors = errors
        self.calls: list[tuple[UserFunction, str]] = []

    def __call__(self, function: UserFunction, name: str) -> Package:
        self.calls.append((function, name))
        if name in self.errors:
            raise self.errors[name]
        return light_packager(function, name)


def test_a_function_that_several_operators_share_is_packaged_once() -> None:
    shared, equal = user_function(), user_function()
    x, y, z = op("f", function=shared), op("g", function=shared), op("h", function=equal)
    packager = Recording()
    composition = composed(x, y, z, packager=packager)
    assert [name for _, name in packager.calls] == ["f", "h"]
    assert packager.calls[0][0] is shared
    codes = [operator.code.sha256 for operator in composition.spec.operators]  # type: ignore[union-attr]
    assert codes[0] == codes[1] != codes[2]
    assert len(composition.objects) == 2


def test_one_function_that_cannot_be_packaged() -> None:
    error = RequirementsMissing("'f' has no requirements")
    with pytest.raises(RequirementsMissing) as caught:
        composed(op("f"), packager=Recording(f=error))
    assert caught.value is error


def test_all_functions_that_cannot_be_packaged_are_told() -> None:
    errors = {"f": PackagingError("'f' holds a lock"), "h": RequirementsMissing("'h' has no requirements")}
    with pytest.raises(PackagingError) as caught:
        composed(op("h", op("g", op("f"))), packager=Recording(**errors))
    assert without_places(caught.value) == (
        "The flow 'My flow' cannot be published:\n- 'f' holds a lock\n- 'h' has no requirements"
    )


def test_faults_of_a_packager_are_not_the_users() -> None:
    with pytest.raises(ZeroDivisionError):
        composed(op("f"), packager=Recording(f=ZeroDivisionError()))
