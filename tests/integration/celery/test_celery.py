"""Tasks on machines that share no disk: a flow spread over two Celery workers, and a run that loses one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.celery.cluster import Cluster, rebuilt_on, tasks_on
from tests.integration.native_draft import Draft
from tests.integration.stack import MAJOR
from tests.integration.waiting import wait_for

PARTS = 16
# No worker has this version: every part runs in an environment that its worker builds.
REQUIREMENT = "six==1.16.0"
# For a run; much more than it takes on an idle machine.
END_SECONDS = 240


def start() -> int:
    return 100


def part(number: int) -> Callable[[int], int]:
    def add(given: int) -> int:
        import six

        return given + number * int(six.__version__ == "1.16.0")

    add.__name__ = f"part_{number}"
    return add


def join(name: str) -> Callable[..., int]:
    def total(*numbers: int) -> int:
        return sum(numbers)

    total.__name__ = name
    return total


def spread(cluster: Cluster) -> Draft:
    """20 operators: one, 16 side by side, two that join eight each, one that joins all."""
    draft = cluster.draft("spread_flow")
    draft.call(start, outputs={"given": "numeric"})
    names = [f"added_{number}" for number in range(PARTS)]
    for number, name in enumerate(names):
        draft.call(part(number), "given", outputs={name: "numeric"}, requirements=[REQUIREMENT])
    halves = {"low": names[: PARTS // 2], "high": names[PARTS // 2 :]}
    for half, joined in halves.items():
        draft.call(join(f"join_{half}"), *joined, outputs={half: "numeric"})
    draft.call(join("join_all"), *halves, outputs={"total": "numeric"})
    return draft


def test_a_flow_is_spread_over_workers_that_share_nothing(cluster: Cluster, tmp_path: Path) -> None:
    draft = spread(cluster)
    cluster.deliver(draft, tmp_path)
    run_id = cluster.client.trigger(draft.dag_id)
    state = cluster.client.wait(draft.dag_id, run_id, seconds=END_SECONDS)
    states = cluster.client.states(draft.dag_id, run_id)
    assert state == "success", states
    operators = {operator["task_id"] for operator in draft.document()["operators"]}
    assert len(operators) == 20

    first, second = (tasks_on(machine, draft.dag_id, run_id) for machine in cluster.machines)
    assert first | second == operators, "every task ran on one of the two"
    assert not first & second
    assert len(first) >= 3
    assert len(second) >= 3

    total = json.loads(cluster.read(draft, run_id, "artifacts/total/content"))
    assert total == 100 * PARTS + sum(range(PARTS))
    for task_id in operators:
        assert_verified(cluster, draft, run_id, task_id)
    assert_own_folders(cluster)
    if MAJOR == 3:
        version = cluster.client.run(draft.dag_id, run_id)["bundle_version"]
        assert all(rebuilt_on(machine, version) for machine in cluster.machines)


def assert_verified(cluster: Cluster, draft: Draft, run_id: str, task_id: str) -> None:
    """What a task left in XCom, Airflow's database, is what lies in the store."""
    manifest = cluster.client.xcoms(draft.dag_id, run_id, task_id)["return_value"]
    [(name, artifact)] = manifest["artifacts"].items()
    content = cluster.read(draft, run_id, f"artifacts/{name}/content")
    assert hashlib.sha256(content).hexdigest() == artifact["sha256"]
    told: dict[str, Any] = json.loads(cluster.read(draft, run_id, f"operators/{task_id}/state.json"))
    assert told["status"] == "succeeded"


def assert_own_folders(cluster: Cluster) -> None:
    """Each worker has built the environment of the parts; where none ran, there is none."""
    kept = [
        sorted((machine.home / "cache" / "environments").glob("*/bin/python")) for machine in cluster.machines
    ]
    assert [len(pythons) for pythons in kept] == [1, 1]
    assert kept[0][0].parts[-3:] == kept[1][0].parts[-3:], "the same fingerprint"
    assert not (cluster.airflow.home / "cache" / "environments").exists()


def slow_once(mark: str) -> Callable[[], int]:
    def sleeps() -> int:
        import os
        import time

        if os.path.exists(mark):  # noqa: PTH110
            return 2
        with open(mark, "x"):  # noqa: PTH123
            time.sleep(300)
        return 1

    return sleeps


@pytest.mark.skipif(MAJOR == 2, reason="2.11 takes half a minute longer to notice; tried by hand")
def test_a_run_outlives_the_loss_of_a_worker(cluster: Cluster, tmp_path: Path) -> None:
    mark = tmp_path / "started"
    draft = cluster.draft("outliving_flow")
    draft.call(slow_once(str(mark)), outputs={"tries": "numeric"}, retries=1, retry_delay=0.1)
    draft.call(join("after"), "tries", outputs={"total": "numeric"})
    cluster.deliver(draft, tmp_path)
    run_id = cluster.client.trigger(draft.dag_id)
    wait_for(mark.exists, what="the start of the task", seconds=60)
    workers = cluster.airflow.workers
    [lost] = [worker for worker in workers if tasks_on(worker.machine, draft.dag_id, run_id)]
    [left] = [worker for worker in workers if worker is not lost]
    cluster.airflow.lose(lost)
    assert cluster.client.wait(draft.dag_id, run_id, seconds=END_SECONDS) == "success"
    assert cluster.client.tasks(draft.dag_id, run_id)["sleeps"]["try_number"] == 2
    assert tasks_on(lost.machine, draft.dag_id, run_id) == {"sleeps"}
    assert tasks_on(left.machine, draft.dag_id, run_id) == {"sleeps", "after"}
    assert json.loads(cluster.read(draft, run_id, "artifacts/total/content")) == 2
    told = json.loads(cluster.read(draft, run_id, "operators/sleeps/state.json"))
    assert told["status"] == "succeeded"
