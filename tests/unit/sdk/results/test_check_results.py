"""Whether checks that only warn have passed."""

from __future__ import annotations

import json

from aqueduct_provider.storage.layout import NativeLayout
from tests.support.deployment import Deployment


def test_airflow_has_the_last_word_and_is_asked_once(made: Deployment) -> None:
    flow = made.publish()
    for rows, word, forged in ((2, "warning", "succeeded"), (4, "succeeded", "failed")):
        run = made.run(rows=rows)
        key = NativeLayout(flow.record.flow_id, run.run_id).exec_state(flow.spec.operators[-1].id)
        state = json.loads(made.store.get(key))
        state.update(status=forged, failure_type=3 if forged == "failed" else None)
        made.store.put(key, json.dumps(state).encode())
        fresh = flow.fetch(run.run_id)
        assert fresh.operators()[-1].word == word
        before = len(made.fake.calls(path="xcomEntries"))
        assert fresh.operators()[-1].word == word
        assert len(made.fake.calls(path="xcomEntries")) == before


def test_without_a_record_the_exec_state_tells(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=2)
    for task in made.fake.dags["churn"].runs[run.run_id].tasks.values():
        task.xcoms.clear()
    assert run.operators()[-1].word == "warning"
