"""Specs in the artifact store: seen without being copied, changed, run and taken back; errors are shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.flow_place import SEEN_SECONDS, Place
from tests.integration.native_draft import Draft
from tests.integration.test_connection import extra
from tests.integration.waiting import wait_for

CONNECTION = "integration_specs"
ROOT = "delivered"
LOADER = f"""\
from aqueduct_provider import DagFactory  # airflow dag

globals().update(DagFactory.dags_in_store("{CONNECTION}"))
"""


def first() -> int:
    return 1


def second() -> int:
    return 2


class Delivery:
    """The store, as the SDK delivers to it."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def key(self, draft: Draft) -> str:
        return f"{ROOT}/specs/{draft.dag_id}.json"

    def deliver(self, function: Callable[..., Any], scratch: Path) -> Draft:
        draft = Draft("delivered_flow", {"type": "connection", "connection_id": CONNECTION})
        draft.call(function, outputs={"answer": "numeric"})
        path = draft.publish(self.place.s3, self.place.bucket, scratch, prefix=f"{ROOT}/")
        self.place.s3.put_object(Bucket=self.place.bucket, Key=self.key(draft), Body=path.read_bytes())
        return draft

    def answer(self, draft: Draft) -> Any:
        """Run the flow."""
        run_id, state = self.place.run(self.place.seen(draft.dag_id, draft.version))
        assert state == "success", self.place.client.states(draft.dag_id, run_id)
        return json.loads(
            self.place.get(f"{ROOT}/flows/{draft.flow_id}/runs/{run_id}/artifacts/answer/content")
        )


@pytest.fixture
def loader(place: Place) -> Iterator[Path]:
    """A second loader, for the store alone; in the end no DAG of it is left."""
    path = place.airflow.dags / "store_dags.py"
    path.write_text(LOADER)
    yield path
    path.unlink()
    wait_for_no_dag(place, "delivered_flow")


def wait_for_no_dag(place: Place, dag_id: str) -> None:
    wait_for(lambda: dag_id not in place.client.dags(), what=f"the end of {dag_id}", seconds=SEEN_SECONDS)


def test_a_flow_is_delivered_changed_and_taken_back(place: Place, loader: Path, tmp_path: Path) -> None:
    placeholder = f"broken_spec__aqueduct_store_{CONNECTION}"
    wait_for(lambda: placeholder in place.client.dags(), what="the placeholder", seconds=SEEN_SECONDS)
    docs = " ".join(place.client.details(placeholder)["doc_md"].split())
    assert f"Airflow has no connection '{CONNECTION}'" in docs

    delivery = Delivery(place)
    draft = delivery.deliver(first, tmp_path)
    place.client.create_connection(CONNECTION, "aqueduct", extra(place, root_dir=ROOT))
    assert delivery.answer(draft) == 1
    docs = place.client.details(draft.dag_id)["doc_md"]
    assert f"from `s3://{place.bucket}/{delivery.key(draft)}`" in docs
    wait_for_no_dag(place, placeholder)

    changed = delivery.deliver(second, tmp_path)
    assert delivery.answer(changed) == 2

    place.s3.delete_object(Bucket=place.bucket, Key=delivery.key(draft))
    wait_for_no_dag(place, draft.dag_id)
    assert place.client.import_errors() == {}
