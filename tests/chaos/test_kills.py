"""Whatever process is killed, and when: the run ends well, each row is there once, nothing is left."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from tests.chaos.conftest import Scale
from tests.chaos.flow import Appending, appending
from tests.chaos.processes import ROLES, Role, kill, left_behind
from tests.data_servers.postgres import PostgresServer
from tests.integration.client import FINISHED
from tests.integration.flow_place import Place

_RUN_SECONDS = 240


def test_kill_9(place: Place, postgres: PostgresServer, scale: Scale, count: Callable[..., None]) -> None:
    chance, killed, total = random.Random(5), Counter[str](), scale.of(3, 60)
    right, runs = 0, 0
    with appending(place, postgres, "killed") as flow:
        while killed.total() < total:
            role = ROLES[killed.total() % len(ROLES)]
            run_id = flow.trigger()
            runs += 1
            time.sleep(chance.uniform(0, 6))
            was_killed = _kill_while_it_runs(flow, run_id, role)
            killed[role] += was_killed
            ended = flow.wait(run_id, _RUN_SECONDS)
            is_right = ended == "success" and flow.appended() == [runs] and flow.has_right_values(run_id)
            # Where it had ended before, the run shows nothing.
            right += is_right and was_killed
        # Whoever starts next removes what killed ones left.
        assert flow.wait(flow.trigger(), _RUN_SECONDS) == "success"
    note = ", ".join(f"{number} of a {role}" for role, number in sorted(killed.items()))
    count("kill -9, right results", right, total, note)
    folders, processes = left_behind(place.airflow)
    left = ", ".join(map(str, (*folders, *processes)))
    count("folders and processes left after that", 0 if left else 1, 1, left or "none")


def _kill_while_it_runs(flow: Appending, run_id: str, role: Role) -> bool:
    """Kill a process of the run as soon as there is one; whether there was one before the run ended."""
    client, looked = flow.place.client, time.monotonic()
    while not kill(flow.place.airflow, role):
        if time.monotonic() - looked > 1:
            if client.run(flow.dag_id, run_id)["state"] in FINISHED:
                return False
            looked = time.monotonic()
        time.sleep(0.02)
    return True
