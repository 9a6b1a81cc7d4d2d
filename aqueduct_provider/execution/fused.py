"""Run the operators of one Airflow task one after the other: fused execution.

In: an :class:`OperatorTask` for each operator, in an order in which each comes after what it reads. Out: what
each would leave alone, an exec state and artifacts; one section of the log for each; and all manifests, or
one error that names those that failed. An operator that needs a failed one is not run; the others are.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from aqueduct_provider.artifacts.manifest import ArtifactRef, GroupManifest, Manifest
from aqueduct_provider.environment.cache import PythonEnvironment
from aqueduct_provider.environment.fingerprint import EnvironmentSpec
from aqueduct_provider.errors import AqueductError, OperatorFailed, OperatorKilled, is_retryable
from aqueduct_provider.execution.attempt import Attempt
from aqueduct_provider.execution.caching_store import CachingStore
from aqueduct_provider.execution.fork_server import ForkServers
from aqueduct_provider.execution.job_folder import job_folder
from aqueduct_provider.execution.task import OperatorTask, Provide, Worker
from aqueduct_provider.process import OnLine
from aqueduct_provider.spec.graph import upstream
from aqueduct_provider.spec.models import Operator
from aqueduct_provider.state.sections import SECTION_END, section_start
from aqueduct_provider.storage.held_folder import temporary_folder

log = logging.getLogger(__name__)


@dataclass
class GroupAttempt:
    """One attempt at the operators of one task. ``run`` once; ``kill`` from a signal handler or a thread.

    :param tasks: their inputs are those that other tasks made.
    """

    tasks: Sequence[OperatorTask]
    worker: Worker
    _killed: bool = field(default=False, init=False)
    _current: Attempt | None = field(default=None, init=False)
    _manifests: dict[str, Manifest] = field(default_factory=dict, init=False)
    _errors: dict[str, Exception] = field(default_factory=dict, init=False)
    _not_run: list[str] = field(default_factory=list, init=False)
    _left: dict[str, Manifest] = field(default_factory=dict, init=False)

    def run(self) -> GroupManifest:
        """Run all operators that can be run; each leaves its exec state.

        :raises OperatorFailed: some did not succeed.
        :raises OperatorKilled: the task was ended.
        """
        sandbox = self.worker.sandbox
        # What is entered first is left last: the servers run in the environments.
        with (
            job_folder() as folder,
            # Not below the folder of the jobs, which their code can write.
            temporary_folder("kept") as kept,
            ExitStack() as leases,
            ForkServers(lambda: self._killed, sandbox.around(folder) if sandbox else None) as servers,
        ):
            worker = replace(
                self.worker,
                store=CachingStore(self.worker.store, kept, self._read_again()),
                provide=_provide_once(self.worker.provide, leases),
                start=servers.start,
                # Servers live as long as this folder, their jobs' folders do not.
                job_mark=str(folder),
                # The servers are in the sandbox, and so the folders of all jobs must be.
                sandbox=None,
                in_sandbox=sandbox is not None,
                jobs_folder=folder if sandbox else self.worker.jobs_folder,
            )
            for task in self.tasks:
                with _section(task.operator):
                    self._operate(task, worker)
        if self._errors:
            raise self._failure()
        return GroupManifest(self._manifests)

    @property
    def errors(self) -> Mapping[str, Exception]:
        """Return why operators failed, by their task ids, in the order of time."""
        return self._errors

    def left(self) -> GroupManifest | None:
        """Return what the operators have written; those of a failed attempt may have all the same."""
        found = {**self._manifests, **self._left}
        return GroupManifest(found) if found else None

    def kill(self) -> None:
        """Ask for the end of whatever runs; ``run`` then raises ``OperatorKilled``. Returns at once."""
        self._killed = True
        self.worker.patience.cancel()
        if self._current is not None:
            self._current.kill()

    def _operate(self, task: OperatorTask, worker: Worker) -> None:
        operator = task.operator
        if missing := self._missing(operator):
            self._not_run.append(operator.task_id)
            log.warning("Not run: %s did not succeed.", " and ".join(map(repr, missing)))
            return
        self._current = Attempt(replace(task, inputs={**task.inputs, **self._made()}), worker)
        # Asked after the attempt can be reached: a kill meets either the one or the other.
        if self._killed:
            raise OperatorKilled("The task was ended; the operators that had not begun were not run.")
        try:
            self._manifests[operator.task_id] = manifest = self._current.run()
        except OperatorKilled:
            raise
        except Exception as error:
            self._errors[operator.task_id] = error
            if left := self._current.left():
                self._left[operator.task_id] = left
            self._report(error)
        else:
            if manifest.status == "warning":
                log.warning("The check did not pass. Its severity is 'warning': the flow goes on.")

    def _report(self, error: Exception) -> None:
        text = _message(error)
        if isinstance(error, OperatorFailed) and error.context:
            text = f"{text}\n{error.context}"
        elif not isinstance(error, AqueductError):
            text = f"{text}\n{''.join(traceback.format_exception(error))}"
        log.error("%s", self.worker.redact(text))

    def _missing(self, operator: Operator) -> list[str]:
        """Return the task ids before the operator that failed or were not run."""
        before = upstream(self.tasks[0].workflow)[operator.task_id]
        return [name for name in before if name in self._errors or name in self._not_run]

    def _made(self) -> Mapping[str, ArtifactRef]:
        return {
            artifact: ref
            for manifest in self._manifests.values()
            for artifact, ref in manifest.artifacts.items()
        }

    def _read_again(self) -> Iterator[str]:
        """Return the keys that one of the operators writes and another reads."""
        made = {artifact for task in self.tasks for artifact in task.operator.outputs}
        read = {artifact for task in self.tasks for artifact in task.operator.inputs}
        return map(self.tasks[0].layout.content, made & read)

    def _failure(self) -> OperatorFailed:
        errors = [f"{task_id!r}: {_message(error)}" for task_id, error in self._errors.items()]
        # Run again, the task ends as it did where one of its operators does.
        deterministic = not all(map(is_retryable, self._errors.values()))
        if len(self.tasks) == 1:
            return OperatorFailed(_message(*self._errors.values()), deterministic=deterministic)
        head = f"{len(errors)} of {len(self.tasks)} operators failed"
        if self._not_run:
            head += f", and {', '.join(map(repr, self._not_run))} could not be run without them"
        return OperatorFailed("\n  ".join([f"{head}.", *errors]), deterministic=deterministic)


@contextmanager
def _section(operator: Operator) -> Iterator[None]:
    log.info("%s", section_start(operator.name, operator.task_id))
    try:
        yield
    finally:
        log.info("%s", SECTION_END)


def _message(error: Exception) -> str:
    return str(error) if isinstance(error, AqueductError) else f"{type(error).__name__}: {error}"


def _provide_once(provide: Provide, leases: ExitStack) -> Provide:
    """Leases each environment once, for all operators that need it and for as long as ``leases`` is open."""
    leased: dict[EnvironmentSpec, tuple[PythonEnvironment, ExitStack]] = {}

    @contextmanager
    def lease(
        spec: EnvironmentSpec, on_line: OnLine, cancelled: Callable[[], bool]
    ) -> Iterator[PythonEnvironment]:
        if spec in leased and leased[spec][0].is_discarded:
            # It is built again once no task holds it.
            leased.pop(spec)[1].close()
        if spec not in leased:
            stack = leases.enter_context(ExitStack())
            leased[spec] = stack.enter_context(provide(spec, on_line, cancelled)), stack
        yield leased[spec][0]

    return lease
