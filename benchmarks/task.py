"""One task in a process of its own, as Airflow runs it: ``python -m benchmarks.task``.

stdin: JSON, the fields of :class:`Order`. stdout, last line: JSON, the fields of :class:`Report`. What
Airflow has loaded when it calls ``execute()`` is loaded before the clock starts: its task runner, and the one
DAG that is needed, made of its spec in a folder. Nothing else of this package is.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any


@dataclass(frozen=True)
class Order:
    """What is to be run.

    :param folder: holds the spec.
    :param manifests: task id -> what it left in XCom.
    :param phases: take the run to pieces.
    """

    folder: str
    dag_id: str
    run_id: str
    manifests: dict[str, Any]
    task_id: str = "task"
    phases: bool = False


@dataclass(frozen=True)
class Report:
    """How it went.

    :param seconds: from the call of execute() to its return.
    :param growth: bytes by which the peak of this process' resident memory rose in that time.
    :param manifest: what it left in XCom.
    :param phases: seconds of each part of the run.
    """

    seconds: float
    growth: int
    manifest: dict[str, Any]
    phases: dict[str, float] = field(default_factory=dict)


class Clock:
    """Adds up the time that is spent in the parts of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started

    def watch(self, place: Any, attribute: str, name: str) -> None:
        """Measure every call of a function of a module or a class."""
        function: Callable[..., Any] = getattr(place, attribute)

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return function(*args, **kwargs)

        setattr(place, attribute, watched)


def main() -> None:
    order = Order(**json.load(sys.stdin))
    operator = _load(order)
    context = _context(order, operator)
    # The kernel forgets the peak, which importing Airflow may have raised above what is in use now.
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    clock = Clock()
    with clock.part("whole"):
        if order.phases:
            _take_to_pieces(clock)
        manifest = operator.execute(context)
    growth = _memory("VmHWM") - before
    phases = _phases(clock) if order.phases else {}
    report = Report(clock.seconds["whole"], growth, manifest, phases)
    print("\n" + json.dumps(dataclasses.asdict(report)))


def _load(order: Order) -> Any:
    """The operator, loaded as a task process loads it."""
    from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager

    from aqueduct_provider import DagFactory

    with _airflow_parsing_context_manager(order.dag_id, order.task_id):
        dag = DagFactory.dags_in(order.folder)[order.dag_id]
    return dag.get_task(order.task_id)


def _context(order: Order, operator: Any) -> dict[str, Any]:
    """What Airflow gives to execute(): its own task instance, but for XCom, which nobody serves here."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    class TaskInstance(RuntimeTaskInstance):  # type: ignore[misc]
        """Finds the manifests of the order in XCom."""

        def xcom_pull(self, task_ids: Any = None, *_: Any, key: str = "return_value", **__: Any) -> Any:
            return order.manifests.get(task_ids) if key == "return_value" else None

        def xcom_push(self, *_: Any, **__: Any) -> None:
            """Nobody asks for it."""

    now = datetime.now(timezone.utc)
    ti = TaskInstance.model_construct(
        id=uuid.uuid4(),
        task_id=order.task_id,
        dag_id=order.dag_id,
        run_id=order.run_id,
        try_number=1,
        task=operator,
        start_date=now,
    )
    dag_run = SimpleNamespace(conf={}, run_after=now, clear_number=0)
    return {"run_id": order.run_id, "params": {}, "dag_run": dag_run, "ti": ti}


def _take_to_pieces(clock: Clock) -> None:
    with clock.part("imports"):
        from aqueduct_provider.execution import attempt
        from aqueduct_provider.operators import worker_settings
        from aqueduct_provider.process import Child
    clock.watch(worker_settings, "store_for", "client set-up")
    clock.watch(attempt, "prepare", "fetch and unpack")
    clock.watch(attempt.Attempt, "_run_child", "environment and child")
    clock.watch(Child, "run", "child")
    clock.watch(attempt, "publish", "publish")
    clock.watch(attempt.Attempt, "_record", "exec state")


def _phases(clock: Clock) -> dict[str, float]:
    seconds = dict(clock.seconds)
    whole = seconds.pop("whole")
    seconds["environment lease"] = seconds.pop("environment and child") - seconds["child"]
    return {**seconds, "rest": whole - sum(seconds.values())}


def _memory(name: str) -> int:
    """Bytes, of a line of the kernel's account of this process."""
    found = re.search(rf"^{name}:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


if __name__ == "__main__":
    main()
