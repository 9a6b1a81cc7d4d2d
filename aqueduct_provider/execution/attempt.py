"""Run one attempt at one task, from its inputs to its exec state.

In: an :class:`OperatorTask` and a :class:`Worker`. Out: artifacts and metadata in the store, then the exec
state, written in every outcome and last of all; and a manifest, or the error that shows how the attempt
failed. This is not part of the Airflow operator, so that it runs, and is tested, without Airflow.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from aqueduct_provider.artifacts.glance import clean, output_line
from aqueduct_provider.artifacts.manifest import ArtifactRef, Manifest
from aqueduct_provider.artifacts.metadata import Metadata
from aqueduct_provider.artifacts.transfer import NewArtifact, publish
from aqueduct_provider.connectors.requests import ExtractOrder
from aqueduct_provider.connectors.requests import to_json as to_order_json
from aqueduct_provider.environment.cache import PythonEnvironment
from aqueduct_provider.errors import (
    AqueductError,
    CheckFailed,
    OperatorCrashed,
    OperatorFailed,
    OperatorKilled,
)
from aqueduct_provider.execution.file_jobs import LOADED_FILE
from aqueduct_provider.execution.fork_server import ForkServers
from aqueduct_provider.execution.job import connector_command, job_command, job_variables, read_outcome
from aqueduct_provider.execution.job_folder import job_folder
from aqueduct_provider.execution.outcome import check_files, untrue
from aqueduct_provider.execution.prepare import prepare
from aqueduct_provider.execution.repair import blame, repair
from aqueduct_provider.execution.runner_package import runner_archive
from aqueduct_provider.execution.task import OperatorTask, Worker
from aqueduct_provider.execution.workspace import Job, TableJob
from aqueduct_provider.process import MARK, Child, Finished, Start, Stream, spawn
from aqueduct_provider.runner.contract import OUTCOME_FILE, REQUEST_FILE, JobOutcome, OutputInfo, to_json
from aqueduct_provider.spec.models import CallOperator, CheckOperator
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.state.exec_state import ExecState, FailureType, Status, TaskPart
from aqueduct_provider.storage.disk_errors import TEMPORARY_REMEDY, translate_disk_errors
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.patience import Patience

log = logging.getLogger(__name__)

# The original's words (Aqueduct formats, section 6, "check").
CHECK_FAILED = "The check did not pass (returned False)."


@dataclass
class Attempt:
    """One attempt at one task. ``run`` once; ``kill`` from a signal handler or another thread."""

    task: OperatorTask
    worker: Worker
    _killed: bool = field(default=False, init=False)
    _stdout: str = field(default="", init=False)
    _stderr: str = field(default="", init=False)
    _began: datetime = field(default_factory=lambda: datetime.now(timezone.utc), init=False)
    _artifacts: dict[str, ArtifactRef] = field(default_factory=dict, init=False)
    _status: Literal["succeeded", "warning", "failed"] = field(default="failed", init=False)
    _environment: PythonEnvironment | None = field(default=None, init=False)

    def run(self) -> Manifest:
        """Run the operator; whatever happens, leave its exec state.

        :raises AqueductError: how the attempt failed.
        """
        try:
            with (
                job_folder(self.worker.jobs_folder) as folder,
                translate_disk_errors(folder, TEMPORARY_REMEDY),
            ):
                outcome, job = self._perform(folder)
                self._artifacts = self._publish(outcome, job, folder)
            state = self._verdict(outcome)
        except BaseException as error:
            self._record_failure(error)
            raise
        self._record(state)
        self._status = "succeeded" if state.status is Status.SUCCEEDED else "warning"
        return self._manifest()

    def left(self) -> Manifest | None:
        """Return what the attempt has written; one that failed may have, such as a failed check's result."""
        return self._manifest() if self._artifacts else None

    def _manifest(self) -> Manifest:
        operator = self.task.operator
        severity = operator.severity if isinstance(operator, CheckOperator) else ""
        seconds = round((datetime.now(timezone.utc) - self._began).total_seconds(), 3)
        python = self._environment
        return Manifest(
            self._status,
            self._artifacts,
            operator.type,
            severity,
            seconds,
            python.short_name if python else "",
            None if python is None or python.reused else round(python.build_seconds, 1),
        )

    def kill(self) -> None:
        """Ask for the end of whatever runs, with all that it started; ``run`` then raises ``OperatorKilled``.

        Returns at once: the flag is looked at ten times a second by those who wait for a child, a lock or a
        store.
        """
        self._killed = True
        self.worker.patience.cancel()

    def _perform(self, folder: Path) -> tuple[JobOutcome, Job | TableJob | None]:
        prepared = prepare(self.task, self.worker, folder)
        if isinstance(prepared, JobOutcome):
            return prepared, None
        outcome = self._run_child(prepared, folder)
        if outcome.failure is not None:
            failure = outcome.failure
            kind = OperatorFailed if failure.kind == "user" else OperatorCrashed
            raise kind(failure.tip, context=failure.context, deterministic=failure.deterministic)
        _check_files(outcome, prepared, folder)
        return outcome, prepared

    def _run_child(self, job: Job | TableJob, folder: Path) -> JobOutcome:
        if isinstance(job, TableJob):
            return self._run_connector(job, folder)
        worker = self.worker
        runner = runner_archive(worker.cache_dir / "runner")
        # Twice at most: a damaged environment is built again once.
        for is_last in (False, True):
            with worker.provide(job.environment, self._say, self._is_killed) as python:
                self._environment = python
                log.info(
                    "%s%s", python, ", in a sandbox (bwrap)" if worker.in_sandbox or worker.sandbox else ""
                )
                command = job_command(python.executable, runner, folder, worker.kill_grace)
                env = job_variables(worker.variables, worker.allowed_variables, python.executable)
                env[MARK] = worker.job_mark or str(folder)
                with _requested(job, folder) as has_begun:
                    result = self._result(job, command, folder, env)
                    may_repeat = bool(self.task.operator.retries) or not has_begun()
                damage = "" if is_last else repair(result, python, runner, may_repeat=may_repeat)
                if not damage:
                    break
                if not may_repeat:
                    result = blame(result, damage)
                    break
            (folder / OUTCOME_FILE).unlink(missing_ok=True)
        if isinstance(result, OperatorCrashed):
            raise result
        return result

    def _result(
        self, job: Job, command: list[str], folder: Path, env: Mapping[str, str]
    ) -> JobOutcome | OperatorCrashed:
        with self._starting(folder) as start:
            finished = self._wait_for(command, folder, env, start, supervised=True)
        try:
            return read_outcome(folder, finished, by_user=_runs_user_code(job))
        except OperatorCrashed as error:
            return error

    @contextmanager
    def _starting(self, folder: Path) -> Iterator[Start]:
        """Yield what starts the child: with a sandbox of its own if configured."""
        if self.worker.sandbox is None:
            yield self.worker.start
        else:
            with ForkServers(self._is_killed, self.worker.sandbox.around(folder), single=True) as servers:
                yield servers.start

    def _run_connector(self, job: TableJob, folder: Path) -> JobOutcome:
        """Our own code in the worker's own Python and with its variables; the order goes through a pipe."""
        order = f"{to_order_json(job.order)}\n".encode()
        env = {**self.worker.variables, MARK: str(folder)}
        finished = self._wait_for(connector_command(folder), folder, env, spawn, order)
        return read_outcome(folder, finished, by_user=False)

    def _wait_for(
        self,
        command: list[str],
        folder: Path,
        env: Mapping[str, str],
        start: Start,
        stdin: bytes = b"",
        *,
        supervised: bool = False,
    ) -> Finished:
        child = Child(
            command,
            cwd=folder,
            env=env,
            on_line=self.worker.on_line,
            timeout=self.task.operator.timeout,
            capture_limit=self.worker.output_limit,
            grace=self.worker.kill_grace,
            cancelled=self._is_killed,
            stdin=stdin,
            start=start,
            supervised=supervised,
            clean=self.worker.redact,
        )
        finished = child.run()
        self._stdout, self._stderr = finished.stdout, finished.stderr
        return finished

    def _say(self, stream: Stream, line: str) -> None:
        self.worker.on_line(stream, self.worker.redact(line))

    def _is_killed(self) -> bool:
        return self._killed

    def _publish(
        self, outcome: JobOutcome, job: Job | TableJob | None, folder: Path
    ) -> dict[str, ArtifactRef]:
        if self._killed:
            raise OperatorKilled("The task was ended before its artifacts were stored.")
        task = self.task
        measured = _measured(task, outcome)
        new = [
            self._described(artifact_id, info, folder, measured)
            for artifact_id, info in zip(task.operator.outputs, outcome.outputs, strict=True)
        ]
        if isinstance(job, Job) and job.upload is not None:
            store, key = job.upload
            store.put_file(key, folder / LOADED_FILE)
        refs = publish(self.worker.store, new, self.worker.requests)
        for ref in refs:
            log.info("%s", output_line(ref))
        return dict(zip(task.operator.outputs, refs, strict=True))

    def _described(
        self, artifact_id: str, info: OutputInfo, folder: Path, measured: Mapping[str, str]
    ) -> NewArtifact:
        """Return an output with all that is written of it."""
        task, layout = self.task, self.task.layout
        name = task.workflow.artifact(artifact_id).name
        glance, preview = clean(name, info.glance, info.preview, self.worker.redact)
        return NewArtifact(
            path=folder / info.path,
            key=layout.content(artifact_id),
            metadata_key=layout.metadata(artifact_id),
            metadata=Metadata(
                artifact_type=info.artifact_type,
                serialization_type=info.serialization_type,
                python_type=info.python_type,
                schema=info.schema,
                system_metadata=measured,
                encoding=None if task.workflow.compiled else info.encoding,
                preview=None if task.workflow.compiled else preview,
            ),
            name=name,
            glance=glance,
        )

    def _verdict(self, outcome: JobOutcome) -> ExecState:
        """Return the exec state of an attempt whose job ended well; here a failed check decides."""
        operator = self.task.operator
        if isinstance(operator, CheckOperator) and not outcome.check_passed:
            if operator.severity == "error":
                raise CheckFailed(CHECK_FAILED)
            return self._state(Status.FAILED, FailureType.USER_NON_FATAL, CHECK_FAILED)
        return self._state(Status.SUCCEEDED)

    def _state(
        self, status: Status, failure_type: FailureType | None = None, tip: str = "", context: str = ""
    ) -> ExecState:
        redact = self.worker.redact
        return ExecState(
            status,
            failure_type,
            redact(tip),
            redact(context),
            self._stdout,
            self._stderr,
            self.task.version,
            _part(self.task, self._began),
        )

    def _record(self, state: ExecState) -> None:
        key = self.task.layout.exec_state(self.task.operator.id)
        self.worker.store.put(key, state.to_json())

    def _record_failure(self, error: BaseException) -> None:
        """Write why the attempt failed."""
        self.worker.patience.last_word()
        _put(self.task, self.worker.store, self.worker.redact, self._state(*_reason(error)))


@contextmanager
def _requested(job: Job, folder: Path) -> Iterator[Callable[[], bool]]:
    """Write the request; yield a function that checks whether the child has begun to call the user's code."""
    path = folder / REQUEST_FILE
    path.unlink(missing_ok=True)
    # Where code of an earlier child has put something there, this fails.
    with path.open("x", encoding="utf-8") as file:
        file.write(to_json(job.request))
        file.flush()
        # Only this file counts, not its name: whatever user code does, it stays removed.
        yield lambda: not os.fstat(file.fileno()).st_nlink


def _check_files(outcome: JobOutcome, job: Job | TableJob, folder: Path) -> None:
    if isinstance(job, Job):
        outputs = [slot.path for slot in job.request.outputs]
        others = [job.request.load_path] if job.request.load_path else []
    else:
        outputs = [job.order.path] if isinstance(job.order, ExtractOrder) else []
        others = []
    try:
        check_files(outcome, folder, outputs, others)
    except ValueError as error:
        raise untrue(str(error), by_user=_runs_user_code(job)) from error


def _runs_user_code(job: Job | TableJob) -> bool:
    return isinstance(job, Job) and job.request.call is not None


def record_refusal(
    task: OperatorTask, store: ObjectStore, patience: Patience, redact: Redactor, error: AqueductError
) -> None:
    """Leave the exec state of an operator that was not even begun."""
    patience.last_word()
    status, failure_type, tip, context = _reason(error)
    part = _part(task, datetime.now(timezone.utc))
    state = ExecState(status, failure_type, redact(tip), redact(context), version=task.version, part=part)
    _put(task, store, redact, state)


def _part(task: OperatorTask, began: datetime) -> TaskPart | None:
    """Return the times of a fused operator; otherwise Airflow already records them."""
    if task.operator.fuse is None or task.try_number is None:
        return None
    return TaskPart(task.try_number, began, datetime.now(timezone.utc))


def _put(task: OperatorTask, store: ObjectStore, redact: Redactor, state: ExecState) -> None:
    """Write the state of a failure. When even that fails, the first error is still the one to report."""
    try:
        store.put(task.layout.exec_state(task.operator.id), state.to_json())
    except Exception as second:
        log.error("The exec state could not be written: %s", redact(str(second)))


def _reason(error: BaseException) -> tuple[Status, FailureType | None, str, str]:
    """Return how an attempt ended that raised this, with its tip and its context."""
    if isinstance(error, OperatorKilled) or not isinstance(error, Exception):
        return Status.CANCELED, None, str(error) or "The task was ended from outside.", ""
    if not isinstance(error, AqueductError):
        tip = f"The provider failed: {type(error).__name__}: {error}. This is not the operator's fault."
        return Status.FAILED, FailureType.SYSTEM, tip, "".join(traceback.format_exception(error))
    failure_type = FailureType.USER_FATAL if error.fault == "user" else FailureType.SYSTEM
    context = error.context if isinstance(error, OperatorFailed) else ""
    return Status.FAILED, failure_type, str(error), context


def _measured(task: OperatorTask, outcome: JobOutcome) -> dict[str, str]:
    """Return the job's cost as the metadata has it; the compiled dialect knows no CPU time."""
    if not isinstance(task.operator, CallOperator):
        return {}
    measured = {"runtime": str(outcome.wall_time), "max_memory": str(outcome.max_memory_mb)}
    if task.workflow.compiled is None:
        measured["cpu_time"] = str(outcome.cpu_time)
    return measured
