"""Notify people of a task's checks, and of its flow, when their state has changed.

In: the results of a task's operators, receivers from the spec, what was reported last from the store. Out:
messages, and what was reported. It runs after the exec states were written, and neither fails a task nor
holds it up for long: what does not work is a warning in the task's log, and receivers that could not be
reached are notified after the next run.

The failure of a flow is reported once per run, by the task that fails first: the one that makes the run's
object of that name, which only one can make. A failed check is reported instead of the flow's failure by it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from logging import Logger
from typing import Any, cast
from urllib.parse import quote, urlsplit

from aqueduct_provider import config
from aqueduct_provider.artifacts.glance import glance_value
from aqueduct_provider.artifacts.manifest import ArtifactRef, GroupManifest, Manifest, check_outcome
from aqueduct_provider.errors import AqueductError, CheckFailed, OperatorKilled, is_retryable
from aqueduct_provider.execution.attempt import Attempt
from aqueduct_provider.execution.fused import GroupAttempt
from aqueduct_provider.hooks.aqueduct import store_for
from aqueduct_provider.operators.notifiers import TIMEOUT, kind_of, name_of, send
from aqueduct_provider.operators.page_links import has_pages, page_path
from aqueduct_provider.runs.notice import Notice
from aqueduct_provider.runs.reported_outcomes import (
    Outcome,
    Reported,
    fails_first,
    moment_text,
    read_reported,
    write_reported,
)
from aqueduct_provider.spec.conditions import Condition
from aqueduct_provider.spec.flow_plan import flow_plan
from aqueduct_provider.spec.metric_names import metric_name
from aqueduct_provider.spec.models import CheckOperator, Operator, WorkflowSpec
from aqueduct_provider.spec.notifications import Notification
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.patience import Patience

# Seconds that all messages of a task may take together; and that the store may be away.
_SECONDS = 10.0
_STORE_SECONDS = 3.0


@dataclass(frozen=True)
class TaskResults:
    """The results of a task's operators.

    :param manifests: by task id of the operator; those that left nothing are missing.
    :param errors: why operators failed, by task id, in the order of time.
    :param inputs: the artifacts of other tasks that they read.
    """

    workflow: WorkflowSpec
    operators: Sequence[Operator]
    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    errors: Mapping[str, BaseException] = field(default_factory=dict)
    inputs: Mapping[str, ArtifactRef] = field(default_factory=dict)


def notify_of_task(
    workflow: WorkflowSpec,
    task: Any,
    attempt: Attempt | GroupAttempt | None,
    context: Any,
    error: Exception | None,
    redact: Redactor,
) -> None:
    """Notify of a task's checks, and of its flow where this task decides that; never raises.

    :param workflow: the spec that the task went by.
    :param task: the ``AqueductOperator``.
    :param attempt: that has ended; None: it could not begin.
    :param error: why the task fails; None: it succeeds.
    :param redact: masks what the task writes.
    """

    def report(reporter: Reporter) -> None:
        # Only receivers of the flow are notified of its success.
        is_last = bool(workflow.notifications) and flow_plan(task.workflow).last == [task.task_id]
        reporter.report_task(_results(workflow, task.operators, attempt, error), error, is_last=is_last)

    _notify(workflow, task.log, context, redact, report)


def notify_of_success(workflow: WorkflowSpec, log: Logger, context: Any) -> None:
    """Notify of the success of a flow that had failed; never raises."""
    _notify(workflow, log, context, Redactor(workflow.secrets), Reporter.report_success)


def _notify(
    workflow: WorkflowSpec, log: Logger, context: Any, redact: Redactor, report: Callable[[Reporter], None]
) -> None:
    try:
        store = partial(store_for, workflow, Patience(_STORE_SECONDS), redact)
        report(Reporter(workflow, context, store, redact, log))
    except Exception as error:
        log.warning(
            "Notification: what changed is not known: %s: %s", type(error).__name__, redact(str(error))
        )


def _results(
    workflow: WorkflowSpec,
    operators: Sequence[Operator],
    attempt: Attempt | GroupAttempt | None,
    error: Exception | None,
) -> TaskResults:
    first = operators[0].task_id
    if attempt is None:
        return TaskResults(workflow, operators, errors={first: error} if error else {})
    left = attempt.left()
    if isinstance(attempt, GroupAttempt):
        operators = [task.operator for task in attempt.tasks]
        manifests = left.operators if isinstance(left, GroupManifest) else {}
        errors = attempt.errors or ({first: error} if error else {})
        return TaskResults(workflow, operators, manifests, errors, attempt.tasks[0].inputs)
    operator = attempt.task.operator
    return TaskResults(
        workflow,
        [operator],
        {operator.task_id: left} if isinstance(left, Manifest) else {},
        {operator.task_id: error} if error else {},
        attempt.task.inputs,
    )


@dataclass
class Reporter:
    """Reports one task.

    :param context: Airflow's.
    :param open_store: returns the flow's store, which does not wait for long.
    :param redact: masks what is sent; learns the secrets of connections.
    """

    workflow: WorkflowSpec
    context: Any
    open_store: Callable[[], ObjectStore]
    redact: Redactor
    log: Logger
    _until: float = field(default_factory=lambda: time.monotonic() + _SECONDS, init=False)
    _warned: set[str] = field(default_factory=set, init=False)
    _opened: ObjectStore | None = field(default=None, init=False)

    def report_task(self, report: TaskResults, error: BaseException | None, *, is_last: bool) -> None:
        """Report the checks of a task, and its flow where this task decides that.

        :param error: why the task fails; None: it succeeds.
        :param is_last: whether the flow has succeeded when this task has.
        """
        if isinstance(error, OperatorKilled):
            return
        final = error is not None and not self._is_tried_again(error)
        for operator in report.operators:
            if isinstance(operator, CheckOperator):
                try:
                    self._report_check(operator, report, final=final)
                except AqueductError as away:
                    self._warn(f"What was reported before is not known: {away}")
                    break
        if error is not None and final and self.workflow.notifications:
            self._report_failure(error, report)
        elif error is None and is_last:
            self.report_success()

    def report_success(self) -> None:
        """Report that the flow has succeeded, where it had failed."""
        if not self.workflow.notifications:
            return
        before = read_reported(self._store(), self._flow_id)
        if before.is_later_than(self._began):
            return
        self._deliver(self._notice("recovery"), self.workflow.notifications, before, "passed")

    def _report_check(self, operator: CheckOperator, report: TaskResults, *, final: bool) -> None:
        receivers = (*self.workflow.notifications, *operator.notifications)
        outcome, reason = _outcome(operator, report, final=final)
        if outcome is None or not receivers:
            return
        before = read_reported(self._store(), self._flow_id, operator.id)
        if before.is_later_than(self._began):
            return
        metric, value = _metric(operator, report)
        values = before.with_value(self.context["run_id"], value)
        notice = replace(
            self._notice("warning"),
            check=operator.name,
            severity=operator.severity,
            metric=metric,
            value=value,
            values=tuple(values.values()),
            reason=reason,
        )
        self._deliver(notice, receivers, replace(before, values=values), outcome, operator.id)

    def _report_failure(self, error: BaseException, report: TaskResults) -> None:
        """Report that the flow has failed, unless another task or a failed check was reported already."""
        checks = {one.task_id for one in report.operators if isinstance(one, CheckOperator)}
        try:
            attempt = getattr(self.context["dag_run"], "clear_number", 0) or 0
            task_id = self.context["ti"].task_id
            if not fails_first(self._store(), self._flow_id, self.context["run_id"], attempt, task_id):
                return
            if report.errors and next(iter(report.errors)) in checks:
                return
            before = read_reported(self._store(), self._flow_id)
            if before.is_later_than(self._began):
                return
        except AqueductError as away:
            # Twice is better than never.
            self._warn(f"What was reported before is not known: {away}")
            before = Reported()
        notice = replace(self._notice("failure"), reason=str(error) or type(error).__name__)
        self._deliver(notice, self.workflow.notifications, before, "failure")

    def _deliver(
        self,
        notice: Notice,
        receivers: Sequence[Notification],
        before: Reported,
        outcome: Outcome,
        operator_id: str = "",
    ) -> None:
        """Notify of a change, and those of a state who could not be reached before; remember both."""
        changed = before.change(outcome)
        event: Condition = "recovery" if outcome == "passed" else outcome
        message = replace(notice, event=event).masked(self.redact)
        missed = []
        for receiver in dict.fromkeys(_same(receivers, event)):
            is_new = changed is not None or name_of(receiver) in before.missed
            if is_new and not self._send(receiver, message):
                missed.append(name_of(receiver))
        after = Reported(outcome, before.values, tuple(dict.fromkeys(missed)), self._began or before.began)
        # Of a flow that has never failed, nothing is remembered.
        if operator_id or changed or after.missed != before.missed:
            with suppress(AqueductError):
                write_reported(self._store(), self._flow_id, after, operator_id)

    def _send(self, receiver: Notification, notice: Notice) -> bool:
        """Send a message, in a thread that is left to itself when it takes too long; whether it was sent."""
        problem: list[str] = []

        def work() -> None:
            try:
                send(receiver, notice, self.context, self.redact)
            except Exception as error:
                name = "" if isinstance(error, AqueductError) else f"{type(error).__name__}: "
                problem.append(f"{name}{error}")
            except BaseException as error:
                problem.append(type(error).__name__)

        thread = threading.Thread(target=work, name="aqueduct-notification", daemon=True)
        seconds = max(0.0, min(TIMEOUT, self._until - time.monotonic()))
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            problem.append(f"no answer within {seconds:.0f} seconds.")
        if problem:
            where = f"{kind_of(receiver)} by the connection {receiver.connection_id!r}"
            self._warn(
                f"Not sent to {where}: {problem[0]} It is sent after the next run, if it is still true."
            )
        else:
            self.log.info("Sent to %s by the connection %r.", kind_of(receiver), receiver.connection_id)
        return not problem

    def _warn(self, text: str) -> None:
        """Log a warning, once."""
        if text not in self._warned:
            self._warned.add(text)
            self.log.warning("Notification: %s", self.redact(text))

    def _store(self) -> ObjectStore:
        if self._opened is None:
            self._opened = self.open_store()
        return self._opened

    @property
    def _began(self) -> str:
        """When the run began, or was resumed after it was cleared."""
        return moment_text(getattr(self.context["dag_run"], "start_date", None))

    @property
    def _flow_id(self) -> str:
        return str(self.workflow.flow.id)

    def _is_tried_again(self, error: BaseException) -> bool:
        ti = self.context["ti"]
        return is_retryable(error) and ti.try_number <= (getattr(ti, "max_tries", 0) or 0)

    def _notice(self, event: Condition) -> Notice:
        spec, run_id = self.workflow, self.context["run_id"]
        return Notice(
            event,
            flow=spec.flow.name,
            flow_id=self._flow_id,
            dag_id=spec.dag_id,
            version=str(spec.version.id),
            run_id=run_id,
            task_id=self.context["ti"].task_id,
            url=run_url(spec.dag_id, run_id),
        )


def run_url(dag_id: str, run_id: str) -> str:
    """Return the address of a run's page; empty: Airflow does not know its own."""
    base = urlsplit(config.base_url())
    if not base.hostname:
        return ""
    origin = f"{base.scheme}://{base.netloc}"
    if has_pages():
        return origin + page_path(dag_id, run_id)
    return f"{origin}{base.path.rstrip('/')}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"


def _outcome(operator: CheckOperator, report: TaskResults, *, final: bool) -> tuple[Outcome | None, str]:
    """Return how a check ended, and why it could not be computed; None: it did not, or is tried again."""
    error, manifest = report.errors.get(operator.task_id), report.manifests.get(operator.task_id)
    if error is not None and not isinstance(error, CheckFailed):
        return ("failure", str(error) or type(error).__name__) if final else (None, "")
    if error is not None or (manifest is not None and manifest.status == "failed"):
        return "failure", ""
    if manifest is None:
        return None, ""
    return cast("Outcome", check_outcome(manifest.status)), ""


def _metric(operator: CheckOperator, report: TaskResults) -> tuple[str, int | float | None]:
    """Return name and value of the first number that a check reads; an empty name: it reads none."""
    made = {key: ref for one in report.manifests.values() for key, ref in one.artifacts.items()}
    for artifact_id in operator.inputs:
        ref = made.get(artifact_id) or report.inputs.get(artifact_id)
        value = glance_value(ref) if ref else None
        if ref and type(value) in (int, float):
            producer = report.workflow.producer(artifact_id)
            return metric_name(producer.name, ref.name or producer.name), value
    return "", None


def _same(receivers: Sequence[Notification], event: Condition) -> list[Notification]:
    """Return the receivers of an event, made equal so that one given twice is notified once."""
    return [one.model_copy(update={"on": (event,)}) for one in receivers if event in one.on]
