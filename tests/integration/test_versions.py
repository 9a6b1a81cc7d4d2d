"""A flow is published anew while a run of it is under way: the run is never mixed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.flow_place import SEEN_SECONDS, Place
from tests.integration.native_draft import Draft, write_spec
from tests.integration.stack import MAJOR
from tests.integration.waiting import wait_for

needs_bundles = pytest.mark.skipif(MAJOR == 2, reason="Airflow 2.11 has no bundles")


class Update:
    """A flow of two tasks, of which the first waits in the middle of a run."""

    def __init__(self, place: Place, dag_id: str, scratch: Path) -> None:
        self.place, self.dag_id, self.scratch = place, dag_id, scratch
        self.started, self.gate = scratch / "started", scratch / "gate"

    def draft(self, word: str) -> Draft:
        draft = self.place.draft(self.dag_id)
        draft.call(_begins(word, self.started, self.gate), outputs={"begun": "string"})
        draft.call(_ends(word), "begun", outputs={"ended": "string"})
        return draft

    def put_code(self, draft: Draft) -> bytes:
        """Upload the archives, and give the spec's JSON."""
        path = draft.publish(self.place.s3, self.place.bucket, self.scratch, prefix="native/")
        return path.read_bytes()

    def keep(self, draft: Draft, text: bytes) -> None:
        """Put the spec where the SDK keeps all versions."""
        key = f"native/flows/{draft.flow_id}/versions/{draft.version}.json"
        self.place.s3.put_object(Bucket=self.place.bucket, Key=key, Body=text)

    def run_through(self, draft: Draft, deliver: Callable[[], None]) -> tuple[str, str]:
        """Run, deliver something while the first task runs, and see the run's end."""
        run_id = self.place.client.trigger(self.dag_id)
        wait_for(self.started.exists, what="the first task", seconds=60)
        deliver()
        self.gate.touch()
        return run_id, self.place.client.wait(self.dag_id, run_id)

    def ended(self, draft: Draft, run_id: str) -> str:
        return self.place.artifact(draft, run_id, "ended")[0].decode()


def _begins(word: str, started: Path, gate: Path) -> Callable[[], str]:
    start, end = str(started), str(gate)

    def begin() -> str:
        import os
        import time

        open(start, "w").close()  # noqa: PTH123
        while not os.path.exists(end):  # noqa: PTH110
            time.sleep(0.05)
        return word

    return begin


def _ends(word: str) -> Callable[[str], str]:
    def end(begun: str) -> str:
        return f"{begun}-{word}"

    return end


@pytest.fixture
def update(place: Place, tmp_path: Path) -> Iterator[Update]:
    """The flow in the DAG folder; it goes away in the end."""
    yield Update(place, "updated_flow", tmp_path)
    (place.airflow.dags / "updated_flow.json").unlink(missing_ok=True)


def test_a_run_goes_on_with_the_version_it_began_with(place: Place, update: Update) -> None:
    old, new = update.draft("old"), update.draft("new")
    for draft in (old, new):
        update.put_code(draft)
    texts = {draft.version: json.dumps(draft.document(), indent=2).encode() for draft in (old, new)}

    def deliver(draft: Draft) -> None:
        write_spec(place.airflow.dags, update.dag_id, json.loads(texts[draft.version]))
        place.seen(update.dag_id, draft.version)

    update.keep(old, texts[old.version])
    deliver(old)
    run_id, state = update.run_through(old, lambda: deliver(new))
    assert state == "success", place.client.states(update.dag_id, run_id)
    assert update.ended(old, run_id) == "old-old"
    log = place.client.log(update.dag_id, run_id, "end")
    assert f"This run began with version {old.version}" in log
    assert place.exec_state(old, run_id, "end")["version"] == old.version

    run_id, state = place.run(update.dag_id)
    assert state == "success"
    assert update.ended(new, run_id) == "new-new"


def test_a_version_that_is_not_kept_stops_the_run_and_clearing_it_mends(place: Place, update: Update) -> None:
    old, new = update.draft("old"), update.draft("new")
    for draft in (old, new):
        update.put_code(draft)
    write_spec(place.airflow.dags, update.dag_id, old.document())
    place.seen(update.dag_id, old.version)

    def deliver() -> None:
        write_spec(place.airflow.dags, update.dag_id, new.document())
        place.seen(update.dag_id, new.version)

    run_id, state = update.run_through(old, deliver)
    assert state == "failed"
    tip = place.exec_state(new, run_id, "end")["error"]["tip"]
    assert f"it began with version {old.version}, and {new.version} is there now" in tip
    assert tip in place.client.log(update.dag_id, run_id, "end")

    place.client.clear_run(update.dag_id, run_id)
    wait_for(
        lambda: place.client.run(update.dag_id, run_id)["state"] == "success", what="success", seconds=60
    )
    assert update.ended(new, run_id) == "new-new"


class Bundle:
    """The store from which the bundle of this Airflow takes its specs."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def put(self, dag_id: str, text: bytes | str) -> None:
        self.place.s3.put_object(Bucket=self.place.bucket, Key=self._key(dag_id), Body=text)

    def delete(self, dag_id: str) -> None:
        self.place.s3.delete_object(Bucket=self.place.bucket, Key=self._key(dag_id))

    def gone(self, dag_id: str) -> bool:
        return dag_id not in self.place.client.dags()

    @staticmethod
    def _key(dag_id: str) -> str:
        return f"bundle/specs/{dag_id}.json"


@pytest.fixture
def bundle(place: Place) -> Iterator[Bundle]:
    """The bundle; none of its specs is left in the end."""
    bundle = Bundle(place)
    yield bundle
    for key in place.keys("bundle/specs/"):
        place.s3.delete_object(Bucket=place.bucket, Key=key)
    wait_for(lambda: not place.client.import_errors(), what="no import errors", seconds=SEEN_SECONDS)


@needs_bundles
def test_airflow_pins_a_run_to_a_version_of_the_bundle(place: Place, bundle: Bundle, tmp_path: Path) -> None:
    update = Update(place, "pinned_flow", tmp_path)
    old, new = update.draft("old"), update.draft("new")
    texts = {draft.version: update.put_code(draft) for draft in (old, new)}

    def deliver(draft: Draft) -> None:
        bundle.put(update.dag_id, texts[draft.version])
        place.seen(update.dag_id, draft.version)

    deliver(old)
    run_id, state = update.run_through(old, lambda: deliver(new))
    assert state == "success", place.client.states(update.dag_id, run_id)
    assert update.ended(old, run_id) == "old-old"
    assert "This run began with version" not in place.client.log(update.dag_id, run_id, "end")
    version = place.client.run(update.dag_id, run_id)["bundle_version"]
    assert f"bundle/bundles/versions/{version}.json" in place.keys("bundle/bundles/versions/")

    # A worker that has never seen the version rebuilds it from the store.
    for folder in (place.airflow.home / "tmp").rglob(f"versions/{version}"):
        shutil.rmtree(folder)
    place.client.clear_task(update.dag_id, run_id, "end")
    wait_for(
        lambda: place.client.tasks(update.dag_id, run_id)["end"]["try_number"] == 2,
        what="the second try",
        seconds=60,
    )
    assert place.client.wait(update.dag_id, run_id) == "success"
    assert update.ended(old, run_id) == "old-old"

    run_id, state = place.run(update.dag_id)
    assert state == "success"
    assert update.ended(new, run_id) == "new-new"


@needs_bundles
def test_a_broken_spec_is_one_import_error_and_s3_may_be_away(
    place: Place, bundle: Bundle, outage: Any, tmp_path: Path
) -> None:
    drafts = {name: place.draft(f"bundled_{name}") for name in ("good", "bad", "late")}
    for draft in drafts.values():
        draft.call(_ends(""), outputs={"ended": "string"})
    bundle.put("bundled_good", json.dumps(drafts["good"].document()))
    bundle.put("bundled_bad", json.dumps({**drafts["bad"].document(), "flwo": 1}))
    place.seen("bundled_good", drafts["good"].version)
    errors = wait_for(place.client.import_errors, what="the import error", seconds=SEEN_SECONDS)
    assert list(errors) == ["bundled_bad.json.py"]
    assert "did you mean 'flow'" in errors["bundled_bad.json.py"]

    with outage.away():
        bundle.put("bundled_bad", json.dumps(drafts["bad"].document()))
        bundle.put("bundled_late", json.dumps(drafts["late"].document()))

        def told() -> bool:
            return "the specs are shown as they last were" in "".join(place.airflow.logs().values())

        wait_for(told, what="the warning", seconds=SEEN_SECONDS)
        assert "bundled_good" in place.client.dags()
        assert bundle.gone("bundled_late")

    for name in ("bad", "late"):
        place.seen(f"bundled_{name}", drafts[name].version)
    wait_for(lambda: not place.client.import_errors(), what="no import error", seconds=SEEN_SECONDS)
    for name in ("bad", "good", "late"):
        bundle.delete(f"bundled_{name}")
    wait_for(lambda: all(map(bundle.gone, (f"bundled_{n}" for n in drafts))), what="no DAG", seconds=60)
