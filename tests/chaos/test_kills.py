"""Whatever process is killed, and when: the run ends well, each row is there once, nothing is left."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from tests.chaos.conftest import Scale
from tests.chaos.flow import appending
from tests.chaos.processes import ROLES, kill, left_behind
from tests.data_servers.postgres import PostgresServer
from tests.integration.place import Place
from tests.integration.waiting import wait_for

_RUN_SECONDS = 240


def test_kill_9(place: Place, postgres: PostgresServer, scale: Scale, count: Callable[..., None]) -> None:
    chance, killed, total = random.Random(5), Counter[str](), scale.of(3, 60)
    right = 0
    with appending(place, postgres, "killed") as flow:
        for number in range(total):
            role = ROLES[number % len(ROLES)]
            run_id = flow.trigger()
            time.sleep(chance.uniform(0, 6))
            wait_for(lambda role=role: kill(place.airflow, role), what=f"a {role}", seconds=60, pause=0.02)
            killed[role] += 1
            ended = flow.wait(run_id, _RUN_SECONDS)
            right += ended == "success" and flow.appended() == [number + 1] and flow.has_right_values(run_id)
        # Whoever starts next removes what killed ones left.
        assert flow.wait(flow.trigger(), _RUN_SECONDS) == "success"
    note = ", ".join(f"{number} of a {role}" for role, number in sorted(killed.items()))
    count("kill -9, right results", right, total, note)
    folders, processes = left_behind(place.airflow)
    count(
        "folders and processes left after that", 0 if folders or processes else 1, 1, f"{folders} {processes}"
    )
