"""The ``aqueduct`` connection: its Test button, and a flow that names it."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.flow_place import Place
from tests.integration.native_draft import Draft


def extra(place: Place, **changes: Any) -> dict[str, Any]:
    return {
        "bucket": place.bucket,
        "region": "us-east-1",
        "root_dir": "connected",
        "credentials_path": str(place.credentials_path),
        "credentials_profile": "research",
        "endpoint_url": place.endpoint,
        **changes,
    }


def test_the_test_button(place: Place) -> None:
    works, message = place.client.test_connection("aqueduct", extra(place))
    assert works, message


def test_the_test_button_says_what_is_wrong(place: Place) -> None:
    works, message = place.client.test_connection("aqueduct", extra(place, bucket="no-such-bucket"))
    assert not works
    assert "no-such-bucket" in message
    works, message = place.client.test_connection("aqueduct", extra(place, credentials_profile="nobody"))
    assert not works
    assert "nobody" in message


def greets() -> str:
    return "hello, connection" * 20


def test_a_flow_whose_store_is_a_connection(place: Place) -> None:
    place.client.create_connection("integration_store", "aqueduct", extra(place))
    draft = Draft("connected_flow", {"type": "connection", "connection_id": "integration_store"})
    draft.call(greets, outputs={"greeting": "string"})
    path = draft.publish(place.s3, place.bucket, place.airflow.dags, prefix="connected/")
    try:
        run_id, state = place.run(place.seen(draft.dag_id, draft.version))
    finally:
        path.unlink()
    assert state == "success"
    prefix = f"connected/flows/{draft.flow_id}/runs/{run_id}/"
    assert place.get(f"{prefix}artifacts/greeting/content") == b"hello, connection" * 20
    assert place.get_json(f"{prefix}operators/greets/state.json")["status"] == "succeeded"
    # Only short strings are shown in Airflow's database.
    assert json.dumps(place.client.xcoms(draft.dag_id, run_id, "greets")).count("hello") == 0
