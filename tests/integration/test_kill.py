"""A task that Airflow stops takes its child with it, and what the child started, however stubborn."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.integration.flow_place import Place
from tests.integration.waiting import wait_for
from tests.support.process_checks import is_running

# Airflow looks every few seconds whether a task is to be stopped, then gives it 5 s on 3.x.
END_SECONDS = 30


def stubborn(file: str) -> Callable[[], int]:
    def sleeps() -> int:
        import os
        import signal
        import subprocess
        import time

        # Inherited by the grandchild, which therefore ignores polite signals too.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        grandchild = subprocess.Popen(["sleep", "300"])
        with open(f"{file}.part", "w") as pids:  # noqa: PTH123
            pids.write(f"{os.getpid()} {grandchild.pid}")
        os.rename(f"{file}.part", file)  # noqa: PTH104
        time.sleep(300)
        return 0

    return sleeps


def test_a_stopped_task_leaves_no_process(place: Place, tmp_path: Path) -> None:
    draft = place.draft("killed_flow")
    draft.call(stubborn(str(tmp_path / "pids")), outputs={"never": "numeric"}, retries=2)
    with place.published(draft) as dag_id:
        run_id = place.client.trigger(dag_id)
        wait_for((tmp_path / "pids").exists, what="the child", seconds=60)
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert all(map(is_running, pids))
        place.client.mark_failed(dag_id, run_id, "sleeps")
        started = time.monotonic()
        wait_for(lambda: not any(map(is_running, pids)), what="the end of both", seconds=END_SECONDS)
        print(f"ended after {time.monotonic() - started:.1f} s")
        assert place.client.wait(dag_id, run_id) == "failed"
        state = wait_for(
            lambda: place.keys(place.run_prefix(draft, run_id)), what="the exec state", seconds=10
        )
    assert len(state) == 1, "only the exec state, no artifact"
    assert place.exec_state(draft, run_id, "sleeps")["status"] == "canceled"
