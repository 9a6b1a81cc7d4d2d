"""Run a spec here, without Airflow: the main path of ``execution/``, operator by operator.

In: a spec, and the store that holds its code and its stored defaults. Out: what a run on Airflow leaves in
the store, a :class:`LocalOutcome`, and events while it goes on. An operator runs when all before it have
succeeded; a failed one does not stop those that do not need it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import (
    AqueductError,
    AuthoringError,
    IntegrityError,
    OperatorFailed,
    StorageError,
    is_retryable,
)
from aqueduct_provider.sdk.airflow_api.api_models import TaskInfo
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.local.events import Event as Event
from aqueduct_provider.sdk.local.events import LinePrinted as LinePrinted
from aqueduct_provider.sdk.local.events import LocalOutcome as LocalOutcome
from aqueduct_provider.sdk.local.events import OperatorChanged as OperatorChanged
from aqueduct_provider.sdk.local.systems import Find, nothing
from aqueduct_provider.sdk.local.worker import Isolation, MissingPython, local_worker
from aqueduct_provider.sdk.publishing.triggering import RunValues, run_values
from aqueduct_provider.sdk.results.outcomes import OperatorRun, labels, operator_run

if TYPE_CHECKING:
    from aqueduct_provider.artifacts.manifest import ArtifactRef
    from aqueduct_provider.execution.attempt import Attempt
    from aqueduct_provider.execution.task import OperatorTask, Worker
    from aqueduct_provider.process import Stream
    from aqueduct_provider.spec.models import Operator, WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore

# Seconds between two tries where the spec says nothing; the same as Airflow's own default.
_RETRY_DELAY = 300.0
# What Airflow takes by default; a slash would make another key.
_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]{1,250}")


def run_spec(
    spec: WorkflowSpec,
    store: ObjectStore,
    *,
    parameters: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    isolation: Isolation = "auto",
    missing_python: MissingPython = "fail",
    retries: bool = True,
    jobs: int = 1,
    find: Find = nothing,
    on_event: Callable[[Event], None] = lambda _: None,
) -> LocalOutcome:
    """Run a spec of either dialect here.

    An interrupt (Ctrl-C) ends the children and leaves the exec state ``canceled``, then goes on.

    :param store: holds the code that the spec names, and gets what the run leaves.
    :param parameters: values by parameter name; those left out have their published defaults.
    :param run_id: part of every key; None: one made of the time, ``local__...``.
    :param isolation: where operators run: in this Python when it has all that is asked for (``auto``), in
        environments of their own (``always``), or in this Python (``never``).
    :param missing_python: when this machine lacks an operator's Python version: ``fail``, use this Python's
        (``worker``), or let uv ``download`` it.
    :param retries: whether failed operators are tried again, after their ``retry_delay``.
    :param jobs: how many operators run at once, at most.
    :param find: finds the resources that stand for Airflow connections: ``systems_of(session)``.
    :param on_event: called with each event, from several threads, never twice at once.
    :raises AuthoringError: a parameter or the run id does not fit; nothing was run.

    ::

        spec = load(Path("churn_airflow.json"))
        outcome = run_spec(spec, LocalStore(Path("store")), parameters={"rows": 5})
        print(outcome.status, outcome.artifact("accuracy").get())
    """
    values = run_values(spec, parameters or {})
    run_id = f"local__{_now():%Y%m%dT%H%M%S.%fZ}" if run_id is None else run_id
    if not _RUN_ID.fullmatch(run_id) or run_id in (".", ".."):
        raise AuthoringError(
            f"{run_id!r} cannot be a run id: use letters, digits and _ . ~ : + - only, 250 at most."
        )
    for key, data in values.objects.items():
        store.put(key, data)
    worker = local_worker(spec, store, isolation=isolation, missing_python=missing_python, find=find)
    run = _LocalRun(spec, run_id, values, worker, retries, on_event)
    run.all(max(1, jobs))
    operators = tuple(run.seen[operator.task_id] for operator in spec.operators)
    return LocalOutcome(spec, store, run_id, operators, run.artifacts)


class _LocalRun:
    """One run under way."""

    def __init__(
        self,
        spec: WorkflowSpec,
        run_id: str,
        values: RunValues,
        worker: Worker,
        retries: bool,
        on_event: Callable[[Event], None],
    ) -> None:
        from aqueduct_provider.sdk.resources.sql_resource import dates_of_now
        from aqueduct_provider.spec.graph import upstream

        self.spec, self.run_id, self.values, self.worker = spec, run_id, values, worker
        self.retries, self.on_event = retries, on_event
        self.operators = {operator.task_id: operator for operator in spec.operators}
        self.seen = {task_id: _blank(operator) for task_id, operator in self.operators.items()}
        self.artifacts: dict[str, ArtifactRef] = {}
        self.dates = dates_of_now()
        self._labels = dict(zip(self.operators, labels(spec.operators), strict=True))
        self._before = upstream(spec)
        self._attempts: dict[str, Attempt] = {}
        self._stopped = threading.Event()
        self._lock = threading.RLock()

    def all(self, jobs: int) -> None:
        """Run every operator that can be run."""
        from aqueduct_provider.spec.graph import order

        waiting, running = order(self.spec), dict[Future[None], str]()
        with ThreadPoolExecutor(jobs) as pool:
            try:
                while waiting or running:
                    for task_id in self._ready(waiting)[: jobs - len(running)]:
                        waiting.remove(task_id)
                        running[pool.submit(self._operate, self.operators[task_id])] = task_id
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        del running[future]
                        future.result()
                    self._cancel_hopeless(waiting)
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """End what runs; ``all`` returns when it has ended."""
        self._stopped.set()
        with self._lock:
            for attempt in self._attempts.values():
                attempt.kill()

    # --- which operators can be run

    def _ready(self, waiting: list[str]) -> list[str]:
        return [one for one in waiting if all(self._went_on(other) for other in self._before[one])]

    def _cancel_hopeless(self, waiting: list[str]) -> None:
        # In order, so that those that need a canceled one are canceled as well.
        for task_id in tuple(waiting):
            ended = [other for other in self._before[task_id] if self.seen[other].ended_at is not None]
            if not all(map(self._went_on, ended)):
                waiting.remove(task_id)
                task = TaskInfo(task_id, "upstream_failed", 0, ended_at=_now())
                self._change(operator_run(self.operators[task_id], task, None))

    def _went_on(self, task_id: str) -> bool:
        seen = self.seen[task_id]
        return seen.status is ExecutionStatus.SUCCEEDED or seen.warning

    # --- one operator

    def _operate(self, operator: Operator) -> None:
        task, tries = self._task(operator), 1 + ((operator.retries or 0) if self.retries else 0)
        delay = operator.retry_delay or _RETRY_DELAY
        for number in range(1, tries + 1):
            began = replace(_blank(operator), try_number=number, started_at=_now())
            self._change(replace(began, status=ExecutionStatus.RUNNING))
            error = self._attempt(task)
            ended = self._ended(task, began, error)
            if error is None or number == tries or not is_retryable(error) or self._stopped.is_set():
                self._change(ended)
                return
            again = f"{ended.tip} It is tried again in {delay:g} s."
            self._change(replace(ended, status=ExecutionStatus.PENDING, ended_at=None, tip=again))
            self._stopped.wait(delay)

    def _attempt(self, task: OperatorTask) -> Exception | None:
        """Run the operator once; how it failed."""
        from aqueduct_provider.execution.attempt import Attempt

        task_id = task.operator.task_id
        printed = partial(self._printed, self._labels[task_id])
        attempt = Attempt(task, replace(self.worker, on_line=printed))
        with self._lock:
            self._attempts[task_id] = attempt
            if self._stopped.is_set():
                attempt.kill()
        try:
            manifest = attempt.run()
        except Exception as error:
            return error
        finally:
            with self._lock:
                del self._attempts[task_id]
        with self._lock:
            self.artifacts.update(manifest.artifacts)
        return None

    def _task(self, operator: Operator) -> OperatorTask:
        from aqueduct_provider.execution.task import OperatorTask

        inputs = {artifact: self.artifacts[artifact] for artifact in operator.inputs}
        values = self.values
        return OperatorTask(self.spec, operator, self.run_id, values.plain, inputs, values.given, self.dates)

    def _ended(self, task: OperatorTask, began: OperatorRun, error: Exception | None) -> OperatorRun:
        """Return how the operator ended: as its exec state says, which knows what its code printed."""
        now = _now()
        duration = (now - (began.started_at or now)).total_seconds()
        blank = replace(began, ended_at=now, duration=duration)
        reported = self._reported(task)
        failed = reported and reported.status is not ExecutionStatus.SUCCEEDED and not reported.warning
        if reported is None or bool(failed) is (error is None):
            # The store did not take the exec state.
            status = ExecutionStatus.SUCCEEDED if error is None else ExecutionStatus.FAILED
            context = error.context if isinstance(error, OperatorFailed) else ""
            tip = "" if error is None else _message(error)
            return replace(blank, status=status, tip=self._clean(tip), traceback=self._clean(context))
        return replace(
            blank,
            status=reported.status,
            warning=reported.warning,
            tip=self._clean(reported.tip),
            traceback=self._clean(reported.traceback),
            stdout=self._clean(reported.stdout),
            stderr=self._clean(reported.stderr),
        )

    def _reported(self, task: OperatorTask) -> OperatorRun | None:
        from aqueduct_provider.state.exec_state import exec_state_from_json

        operator = task.operator
        try:
            data = self.worker.store.get(task.layout.exec_state(operator.id))
            return operator_run(operator, None, exec_state_from_json(data))
        except (StorageError, IntegrityError):
            return None

    # --- what is reported

    def _clean(self, text: str) -> str:
        return self.worker.redact(text)

    def _change(self, operator: OperatorRun) -> None:
        with self._lock:
            self.seen[operator.task_id] = operator
            self.on_event(OperatorChanged(operator))

    def _printed(self, operator: str, stream: Stream, line: str) -> None:
        with self._lock:
            self.on_event(LinePrinted(operator, stream, line))


def _blank(operator: Operator) -> OperatorRun:
    return OperatorRun(operator.name, operator.task_id, operator.type)


def _message(error: Exception) -> str:
    return str(error) if isinstance(error, AqueductError) else f"{type(error).__name__}: {error}"


def _now() -> datetime:
    return datetime.now(timezone.utc)
