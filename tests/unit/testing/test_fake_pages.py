from __future__ import annotations

import json

import httpx

from aqueduct_provider.spec.loader import parse
from aqueduct_provider.testing import FakeAirflow
from tests.support.example_specs import native_document


def test_runs_need_a_login_and_have_what_their_tasks_left() -> None:
    with FakeAirflow(2) as fake:
        fake.show(parse(json.dumps(native_document()).encode(), "churn"))
        fake.add_run("churn", "r1")
        fake.add_task("churn", "r1", "train", state="failed")
        address = f"{fake.url}/aqueduct/dags/churn/runs.json"
        assert httpx.get(address).status_code == 403
        (run,) = httpx.get(address, auth=(fake.user, fake.password)).json()["runs"]
    states = {one["name"]: one["status"] for one in run["operators"]}
    assert (states["train"], states["accuracy"]) == ("failed", "pending")
