"""Three versions of a flow are published and run, compared, and the first is put back."""

from __future__ import annotations

import json

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider import cli
from tests.integration.flow_place import Place
from tests.integration.stack import SHOWN_ELSEWHERE

pytestmark = SHOWN_ELSEWHERE
WAIT = 120


@aq.op(requirements=[])
def visits(days: int) -> int:
    return days * 10


def publish(client: aq.Client, factor: int, days: int) -> aq.Flow:
    """Publish a version whose metric multiplies the visits."""
    source = f"def revenue(visits: int) -> int:\n    return visits * {factor}\n"
    space: dict[str, object] = {}
    exec(source, space)
    revenue = aq.metric("revenue", requirements=[])(space["revenue"])  # type: ignore[type-var]
    artifact = revenue.lazy(visits.lazy(client.create_param("days", days)))  # type: ignore[attr-defined]
    return client.publish_flow("history", artifacts=artifact, message=f"Times {factor}", wait=0)


def run(client: aq.Client) -> aq.Run:
    """Run what was published last."""
    made = client.trigger("history", unpause=True, progress=False)
    assert made.wait(WAIT, progress=False) == "succeeded"
    return made


def test_three_versions_and_back(client: aq.Client, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    runs = []
    for factor, days in ((2, 1), (3, 1), (3, 4)):
        flow = publish(client, factor, days)
        runs.append(run(client))
    assert [one.artifact("revenue artifact").get() for one in runs] == [20, 30, 120]
    assert [(one.label, one.message) for one in flow.versions()] == [
        ("v3", "Times 3"),
        ("v2", "Times 3"),
        ("v1", "Times 2"),
    ]
    assert flow.diff(runs[0], runs[1]).summary() == ["changed revenue"]
    assert flow.diff(2, 3).summary() == ["changed the parameters days"]

    flow = client.rollback("history", "v1", "Three was too much")
    assert "it restores v1" in capsys.readouterr().out
    restored = run(client)
    assert restored.artifact("revenue artifact").get() == 20
    status = flow.status()
    assert status.state is aq.FlowState.CURRENT
    assert status.version == status.airflow_version == f"v4 ({flow.record.version_id[:8]})"
    assert flow.diff(runs[0], restored).is_empty
    # Earlier runs are read as before.
    assert flow.fetch(runs[2].run_id).artifact("revenue artifact").get() == 120

    assert cli.main(["diff", "history", runs[2].run_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"][0]["after"]["default"] == 1
    assert cli.main(["rollback", "history", "2"]) == 0
    assert cli.main(["trigger", "history", "--wait"]) == 0
    latest = flow.latest()
    assert latest is not None
    assert latest.artifact("revenue artifact").get() == 30
    client.delete_flow("history", force=True)
