"""A flow whose check, and then the flow itself, fails and recovers: who hears of it, and how often."""

from __future__ import annotations

from typing import Any

import aqueduct_provider.sdk as aq
from tests.integration.flow_place import Place
from tests.integration.stack import SHOWN_ELSEWHERE
from tests.support.receivers import HttpReceiver, SmtpReceiver

pytestmark = SHOWN_ELSEWHERE

WAIT = 120


@aq.op(requirements=[])
def orders(number: float) -> list[float]:
    if number < 0:
        raise ValueError("no orders")
    return [number]


@aq.metric(requirements=[])
def largest(orders: list[float]) -> float:
    return max(orders)


def test_only_changes_of_state_are_sent(
    client: aq.Client, place: Place, alerts: HttpReceiver, mails: SmtpReceiver
) -> None:
    number = largest(orders(client.create_param("number", 1.0)))
    number.bound(upper=10, on_warning=aq.notify.email("ada@example.org"))
    flow = client.publish_flow(
        "notified",
        artifacts=[number],
        notify=[aq.notify.webhook("alerts"), aq.notify.slack("not_there", on="warning")],
        wait=WAIT,
    )

    def run(value: float) -> tuple[aq.Run, list[dict[str, Any]], int]:
        """Run the flow; it, and what was sent because of it."""
        before, mailed = len(alerts.requests), len(mails.mails)
        run = client.trigger("notified", parameters={"number": value}, unpause=True, progress=False)
        wanted = aq.ExecutionStatus.SUCCEEDED if value >= 0 else aq.ExecutionStatus.FAILED
        assert run.wait(WAIT, progress=False) == wanted
        documents = [request.document for request in alerts.requests[before:]]
        return run, documents, len(mails.mails) - mailed

    assert run(5.0)[1:] == ([], 0)
    warned, (warning,), mailed = run(20.0)
    assert (warning["event"], warning["run_id"], mailed) == ("warning", warned.run_id, 1)
    assert warning["check"] == {"name": "less than 10", "severity": "warning"}
    assert warning["metric"] == {
        "name": "largest",
        "value": 20.0,
        "bound": "less than 10",
        "last_values": [5.0, 20.0],
    }
    page = f"{place.airflow.login.url}/aqueduct/dags/{flow.record.dag_id}/runs/"
    assert warning["url"].startswith(page)
    assert alerts.requests[-1].headers["Authorization"] == "Bearer s3cr3t-t0ken"
    assert (
        mails.mails[-1].message["Subject"] == "[warning] notified: check 'largest less than 10' did not pass"
    )
    log = warned.logs("less than 10")
    assert "Airflow has no connection 'not_there', to which the flow sends notifications" in log
    for secret in ("s3cr3t-t0ken", "of-the-integration-tests"):
        assert secret not in log

    assert run(30.0)[1:] == ([], 0)
    _, (recovery,), mailed = run(6.0)
    assert (recovery["event"], recovery["metric"]["last_values"], mailed) == (
        "recovery",
        [5.0, 20.0, 30.0, 6.0],
        0,
    )

    _, (failure,), _ = run(-1.0)
    assert (failure["event"], failure["check"]) == ("failure", None)
    assert "no orders" in failure["reason"]
    assert run(-1.0)[1] == []
    _, (recovery,), _ = run(7.0)
    assert (recovery["event"], recovery["check"]) == ("recovery", None)

    prefix = f"sdk/flows/{flow.id()}/notified/"
    assert len(list(place.keys(prefix))) == 2
    client.delete_flow("notified", artifacts=True)
    assert not list(place.keys(prefix))
