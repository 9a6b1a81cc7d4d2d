"""Storage that is away, slow or wrong for a while costs time, not runs."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.chaos.conftest import Scale
from tests.chaos.flow import Appending, appending
from tests.data_servers.postgres import PostgresServer
from tests.integration.flow_place import Place
from tests.integration.waiting import wait_for
from tests.support.fault_proxy import Fault, FaultProxy

_RUN_SECONDS = 600
_FAULTS: tuple[Fault, ...] = ("500", "503", "reset_before", "reset_after", "cut", "short", "flip", "stall")


def right_of(flow: Appending, runs: list[str]) -> int:
    """How many of these runs, all of the flow's, succeeded with the right values."""
    ended = [
        flow.wait(run_id, _RUN_SECONDS) == "success" and flow.has_right_values(run_id) for run_id in runs
    ]
    return sum(ended) if flow.appended() == [len(runs)] else 0


def test_an_outage_in_the_middle_of_runs(
    place: Place, postgres: PostgresServer, proxy: FaultProxy, scale: Scale, count: Callable[..., None]
) -> None:
    total, seconds = scale.of(2, 10), scale.of(20, 60)
    with appending(place, postgres, "outage") as flow:
        runs = [flow.trigger() for _ in range(total)]
        wait_for(
            lambda: "running" in place.client.states(flow.dag_id, runs[0]).values(), what="a task", seconds=60
        )
        with proxy.down():
            time.sleep(seconds)
        right = right_of(flow, runs)
    count(f"an outage of {seconds} s in the middle of a run", right, total)


def test_faults_of_every_kind(
    place: Place, postgres: PostgresServer, proxy: FaultProxy, scale: Scale, count: Callable[..., None]
) -> None:
    """5 % of all requests, of one kind after the other; in CI of all kinds at once."""
    each = scale.of(2, 25)
    kinds = [(fault,) for fault in _FAULTS] if scale.full else [_FAULTS[:-1]]
    right, injected = 0, 0
    try:
        with appending(place, postgres, "faults") as flow:
            runs: list[str] = []
            for faults in kinds:
                proxy.counts.clear()
                proxy.rates = dict.fromkeys(faults, 0.05)
                new = [flow.trigger() for _ in range(each)]
                runs += new
                for run_id in new:
                    right += flow.wait(run_id, _RUN_SECONDS) == "success" and flow.has_right_values(run_id)
                injected += proxy.counts.total()
            tries = [
                task["try_number"] for run in runs for task in place.client.tasks(flow.dag_id, run).values()
            ]
            right = right if flow.appended() == [len(runs)] else 0
    finally:
        proxy.rates = {}
    assert injected
    note = f"{injected} faults; {sum(number > 1 for number in tries)} of {len(tries)} tasks were tried again"
    count("storage faults, 5 % of requests, right results", right, each * len(kinds), note)
