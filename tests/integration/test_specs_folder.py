"""Specs come, change, break and go: every change is seen, and a bad spec never hides a good one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.flow_place import SEEN_SECONDS, Place
from tests.integration.native_draft import Json, write_spec
from tests.integration.stack import MAJOR
from tests.integration.waiting import wait_for

GOOD = 50


def answer() -> int:
    return 42


@pytest.fixture
def folder(place: Place) -> Iterator[Path]:
    """The DAG folder; every spec of these tests goes away in the end."""
    yield place.airflow.dags
    for path in place.airflow.dags.glob("many_*.json"):
        path.unlink()


def document(place: Place, dag_id: str, description: str = "") -> Json:
    draft = place.draft(dag_id, description=description, tags=["many"])
    draft.call(answer, outputs={"answer": "numeric"})
    return draft.document()


def wait_for_dags(place: Place, expected: set[str], *, tag: str) -> None:
    def found() -> bool:
        return set(place.client.dags(tag=tag)) == expected

    wait_for(found, what=f"{len(expected)} DAGs with the tag {tag!r}", seconds=SEEN_SECONDS)


def test_one_broken_spec_among_fifty_good_ones(place: Place, folder: Path) -> None:
    good = {f"many_{number}" for number in range(GOOD)}
    for dag_id in good:
        write_spec(folder, dag_id, document(place, dag_id))
    broken = document(place, "many_broken")
    broken["operators"][0]["retrys"] = 3
    write_spec(folder, "many_broken", broken)

    wait_for_dags(place, good, tag="many")
    wait_for(lambda: place.client.dags(tag="broken spec"), what="the placeholder", seconds=SEEN_SECONDS)
    (placeholder,) = place.client.dags(tag="broken spec").values()
    assert placeholder["is_paused"]
    docs = place.client.details(placeholder["dag_id"])["doc_md"]
    assert "many_broken.json" in docs
    assert "$.operators[0].retrys" in docs
    assert "retries" in docs
    assert place.client.import_errors() == {}

    write_spec(folder, "many_broken", document(place, "many_broken"))
    wait_for_dags(place, set(), tag="broken spec")
    wait_for_dags(place, good | {"many_broken"}, tag="many")


def test_changed_and_removed_specs_are_seen(place: Place, folder: Path) -> None:
    write_spec(folder, "many_moods", document(place, "many_moods", "sunny"))
    wait_for_dags(place, {"many_moods"}, tag="many")
    write_spec(folder, "many_moods", document(place, "many_moods", "rainy"))

    def changed() -> bool:
        return "rainy" in place.client.details("many_moods")["doc_md"]

    wait_for(changed, what="the changed description", seconds=SEEN_SECONDS)
    (folder / "many_moods.json").unlink()
    wait_for_dags(place, set(), tag="many")


@pytest.mark.skipif(MAJOR == 2, reason="Airflow 2.11 keeps no versions of a DAG")
def test_parsing_again_makes_no_new_version(place: Place, folder: Path) -> None:
    write_spec(folder, "many_parses", document(place, "many_parses"))
    wait_for_dags(place, {"many_parses"}, tag="many")
    parsed = {place.client.details("many_parses")["last_parsed_time"]}

    def three_times() -> bool:
        parsed.add(place.client.details("many_parses")["last_parsed_time"])
        return len(parsed) > 3

    wait_for(three_times, what="three more parses", seconds=SEEN_SECONDS)
    assert place.client.versions("many_parses") == 1
