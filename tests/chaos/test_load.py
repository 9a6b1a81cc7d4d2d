"""Many flows, and many runs at once."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.chaos.conftest import Scale
from tests.chaos.flow import appending
from tests.data_servers.postgres import PostgresServer
from tests.integration.flow_place import Place
from tests.support.example_specs import small_document


def test_runs_at_once_among_many_flows(
    place: Place, postgres: PostgresServer, scale: Scale, count: Callable[..., None]
) -> None:
    flows, runs = scale.of(20, 200), scale.of(3, 20)
    files = [place.airflow.dags / f"idle{number}.json" for number in range(flows)]
    try:
        for file in files:
            file.write_text(json.dumps(small_document(file.stem)))
        with appending(place, postgres, "busy") as flow:
            started = [flow.trigger() for _ in range(runs)]
            ended = [
                flow.wait(run_id, 900) == "success" and flow.has_right_values(run_id) for run_id in started
            ]
            right = sum(ended) if flow.appended() == [runs] else 0
    finally:
        for file in files:
            file.unlink(missing_ok=True)
    count(f"{runs} runs at once among {flows} flows", right, runs)
