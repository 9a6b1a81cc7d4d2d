"""One run of a flow: its status, operators, logs and artifacts, read at the moment of asking.

Airflow says what runs, the store what came of it; neither is copied anywhere. A run is read with the spec of
the version that it ran under, which its exec states name. Where Airflow has forgotten the run, it is
read from the store alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from aqueduct_provider.errors import (
    AirflowError,
    AuthoringError,
    IntegrityError,
    NotFound,
    ObjectNotFound,
)
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.results.check_results import CheckResults
from aqueduct_provider.sdk.results.compared import Compared
from aqueduct_provider.sdk.results.given_text import given_text
from aqueduct_provider.sdk.results.outcomes import (
    ENDED,
    OperatorRun,
    run_status,
    status_without_airflow,
)
from aqueduct_provider.sdk.results.records import Records
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo, TaskInfo
    from aqueduct_provider.sdk.authoring.artifacts import Artifact
    from aqueduct_provider.sdk.publishing.registry import FlowRecord
    from aqueduct_provider.sdk.results.stored_source import StoredSource
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.spec.models import Operator, WorkflowSpec
    from aqueduct_provider.state.exec_state import ExecState
    from aqueduct_provider.storage.layout import NativeLayout

log: logging.Logger = logging.getLogger("aqueduct")

Tasks = Mapping[str, "TaskInfo"]


@suggest_keywords_of_methods
@dataclass(eq=False)
class Run(Compared):
    """One run of a flow; ``flow.latest()``, ``flow.fetch(run_id)`` and ``client.trigger(...)`` give it.

    Example::

        run = client.trigger("churn", parameters={"trees": 200})
        if run.wait() == aq.ExecutionStatus.SUCCEEDED:
            print(run.artifact("accuracy").get())
        else:
            run.describe()
    """

    session: Session
    record: FlowRecord
    run_id: str
    # As Airflow last reported it; None where Airflow does not know the run.
    info: RunInfo | None = None
    _spec: WorkflowSpec | None = field(default=None, init=False)
    # What operators left that have ended, by the try that left it.
    _states: dict[Hashable, ExecState | None] = field(default_factory=dict, init=False)
    _records: Records = field(init=False)
    _checks: CheckResults = field(init=False)

    def __post_init__(self) -> None:
        self._records = Records(self.session, self.record.engine, self.record.dag_id, self.run_id)
        self._checks = CheckResults(self._records)

    def __repr__(self) -> str:
        known = f": {run_status(self.info.state)}{given_text(self.info.conf)}" if self.info else ""
        return f"<Run {self.run_id!r} of {self.record.name!r}{known}>"

    def id(self) -> str:
        """Return the run's id, which is Airflow's."""
        return self.run_id

    def created_at(self) -> datetime | None:
        """Return when it was queued; None where Airflow does not know the run any more."""
        return self.info.created_at if self.info else None

    def status(self) -> ExecutionStatus:
        """Return how the run is now: pending, running, succeeded or failed."""
        self._refresh()
        if self.info is None:
            return status_without_airflow(self._outcomes(None))
        return run_status(self.info.state)

    def wait(
        self, timeout: float | None = None, *, progress: bool = True, pause: float = 1.0
    ) -> ExecutionStatus:
        """Wait until the run is over and give its status.

        :param timeout: seconds to wait at most; None: for ever.
        :param progress: show the operators as they run: live in a terminal, else a line for each change.
        :param pause: seconds between two looks.
        :raises WaitTimedOut: the run is not over in time; it goes on.
        """
        from aqueduct_provider.sdk.results.run_waiting import wait_for_end

        if not progress:
            return wait_for_end(self, self.status, timeout, pause)
        from aqueduct_provider.sdk.display.progress import run_progress

        with run_progress(self) as show:

            def look() -> ExecutionStatus:
                status = self.status()
                show(status, self.operators())
                return status

            return wait_for_end(self, look, timeout, pause, show.say)

    def operators(self) -> list[OperatorRun]:
        """Return every operator of the run, in the order of the flow."""
        return self._outcomes(self._tasks())

    def as_far_as_known(self) -> tuple[ExecutionStatus, list[OperatorRun], str]:
        """Return status and operators, from the store alone where Airflow cannot be asked, and why not."""
        try:
            return self.status(), self.operators(), ""
        except (AirflowError, NotFound) as error:
            operators = self._outcomes(None)
            return status_without_airflow(operators), operators, str(error)

    def parameters(self, *, trust_store: bool = False) -> dict[str, Any]:
        """Return the parameters' values in this run, by name, without those not computed yet, or deleted.

        :param trust_store: as for :meth:`artifact`'s ``get``.
        """
        from aqueduct_provider.sdk.results.run_artifacts import parameter_values

        return parameter_values(self, trust_store=trust_store)

    def artifact(self, name: str) -> Artifact:
        """Return the artifact with this name; its ``.get()`` reads the value from the store.

        It is verified by the digest in Airflow's database. Where Airflow has none, ``.get()`` reads what
        cannot run code, and ``.get(trust_store=True)`` the rest.

        :raises NotFound: the flow has no artifact of this name.
        :raises IntegrityError: the spec of the run was changed.
        """
        from aqueduct_provider.sdk.authoring.artifacts import artifact_from

        return artifact_from(self.source(name))

    def source(self, name: str) -> StoredSource:
        """Return the source of the artifact with this name. Raise ``NotFound``."""
        from aqueduct_provider.sdk.results.run_artifacts import source_named

        return source_named(self, name)

    def logs(self, operator: str | None = None, try_number: int | None = None) -> str:
        """Return what an operator's code printed, then the log of its task as Airflow keeps it.

        Of a task that runs several operators, it is this one's part. What earlier tries printed is among
        Airflow's log.

        :param operator: the operator's name, or its task id; None: all operators, in the order of the flow.
        :param try_number: which try of the operator, from 1 on; None: the last one.
        :raises NotFound: the flow has no such operator, or the operator no such try.
        :raises AuthoringError: several operators have this name, or a try is asked for and no operator.
        """
        from aqueduct_provider.sdk.results.run_logs import log_of, logs_of
        from aqueduct_provider.sdk.results.run_operators import operator_named

        if operator is not None:
            found = operator_named(self, self.spec, operator)
            return log_of(self, found, self._tasks(), self._airflow, try_number)
        if try_number is not None:
            raise AuthoringError("logs: try_number is that of one operator: name it, too.")
        return logs_of(self, self._tasks(), self._airflow)

    def replay(
        self,
        operator: str,
        *,
        function: Callable[..., Any] | None = None,
        debug: bool = False,
        isolated: bool = False,
        trust_store: bool = False,
    ) -> Any:
        """Call an operator's function here, with the inputs of this run, and return its value.

        Code and inputs are verified by the digests in Airflow's database. Nothing is written to the run.
        Where the function fails, its own exception is raised.

        :param operator: the name, or the task id, of a function, metric or check.
        :param function: a corrected function that is called instead, plain or decorated.
        :param debug: stop in pdb, or in the notebook's debugger, at the user's line that failed.
        :param isolated: call it in the operator's own environment, which uv builds here.
        :param trust_store: use code and inputs, too, that Airflow has no digest of.
        :return: of several outputs, a tuple.
        :raises NotFound: the run has no such operator, or not all of its inputs.
        :raises IntegrityError: Airflow does not vouch for the code or an input.
        """
        from aqueduct_provider.sdk.reruns.replaying import replay

        chosen = {"debug": debug, "isolated": isolated, "trust_store": trust_store}
        return replay(self, operator, function, **chosen)

    def resume(
        self,
        *,
        version: Literal["latest"] | None = None,
        unpause: bool = False,
        timeout: float = 600.0,
        progress: bool = True,
    ) -> Run:
        """Let a failed run go on from what failed, and return it; it is not waited for.

        :param version: None: the run keeps its version, and what has succeeded is not run again.
            ``"latest"``: all of it runs again, by the version that was published last.
        :param unpause: unpause the flow when it is paused, instead of refusing.
        :param timeout: seconds to wait until Airflow shows the latest version.
        :param progress: show the waiting.
        :raises AuthoringError: the run has not failed, or the flow is paused or was deleted.
        :raises NotFound: Airflow does not know the run.
        """
        from aqueduct_provider.sdk.reruns.resuming import resume

        resume(self, version, unpause=unpause, timeout=timeout, progress=progress)
        self._spec = None
        self._states.clear()
        self.__post_init__()
        self._refresh()
        return self

    def describe(self) -> None:
        """Print the run: status, operators, and for each failure its reason, traceback and output."""
        from aqueduct_provider.sdk.display.tables import print_run

        print_run(self)

    def url(self) -> str:
        """Return the run's page in Airflow's UI."""
        return self._airflow.url(self.record.dag_id, self.run_id)

    def _repr_html_(self) -> str:
        from aqueduct_provider.sdk.display.notebook import run_html

        return run_html(self)

    @property
    def spec(self) -> WorkflowSpec:
        """The spec of the version that the run ran under; the latest as long as no operator has ended."""
        if self._spec is not None:
            return self._spec
        from aqueduct_provider.sdk.results.run_artifacts import spec_by_store

        return spec_by_store(self)

    def pin(self, spec: WorkflowSpec) -> None:
        """Go by this spec from now on: Airflow's database names it."""
        self._spec = spec

    @property
    def records(self) -> Records:
        """The records in Airflow's database of what the run has written."""
        return self._records

    # --- Airflow

    @property
    def _airflow(self) -> Airflow:
        return self.session.airflow(self.record.engine)

    def _refresh(self) -> None:
        airflow = self._airflow
        try:
            self.info = airflow.run(self.record.dag_id, self.run_id)
        except NotFound:
            self.info = None

    def _tasks(self) -> Tasks | None:
        """Return the tasks by their ids; None where Airflow does not know the run."""
        airflow = self._airflow
        try:
            return {task.task_id: task for task in airflow.tasks(self.record.dag_id, self.run_id)}
        except NotFound:
            return None

    # --- the store

    @property
    def layout(self) -> NativeLayout:
        from aqueduct_provider.storage.layout import NativeLayout

        return NativeLayout(self.record.flow_id, self.run_id)

    def _outcomes(self, tasks: Tasks | None) -> list[OperatorRun]:
        from aqueduct_provider.sdk.results.fused_runs import operator_runs

        spec = self.spec
        if tasks is None:
            states = together([partial(self.exec_state, operator) for operator in spec.operators])
            left = {one.id: state for one, state in zip(spec.operators, states, strict=True)}
            return operator_runs(spec, {}, left, untold=ExecutionStatus.UNKNOWN)
        spec = self._verified(spec, tasks)
        over = self.info is not None and run_status(self.info.state) in ENDED
        untold = ExecutionStatus.UNKNOWN if over else ExecutionStatus.PENDING
        found = operator_runs(spec, tasks, self._read_new(spec, tasks), untold=untold)
        return self._checks.verified(spec, tasks, found)

    def _verified(self, spec: WorkflowSpec, tasks: Tasks) -> WorkflowSpec:
        """Return the spec that the tasks of the run used, as far as one of them has recorded it."""
        from aqueduct_provider.sdk.results.run_artifacts import verified_spec

        ended = next((task_id for task_id, task in sorted(tasks.items()) if task.state == "success"), None)
        if ended is None:
            return spec
        try:
            return verified_spec(self, spec, ended)
        except IntegrityError as error:
            # How its tasks ended is Airflow's word, whatever the spec calls them.
            log.warning("%s", error)
            return spec

    def _read_new(self, spec: WorkflowSpec, tasks: Tasks) -> dict[str, ExecState | None]:
        """Return what the operators left, by their ids; read it of those that ended since the last look."""
        from aqueduct_provider.sdk.results.fused_runs import is_settled, may_have_state, state_key

        known = [(one, tasks[one.airflow_task_id]) for one in spec.operators if one.airflow_task_id in tasks]
        keys = {one.id: state_key(one, task) for one, task in known if may_have_state(one, task)}
        new = [
            (one, key)
            for one, task in known
            if (key := keys.get(one.id))
            and not (key in self._states and is_settled(one, task, self._states[key]))
        ]
        states = together([partial(self.exec_state, operator) for operator, _ in new])
        self._states.update({key: state for (_, key), state in zip(new, states, strict=True)})
        return {operator: self._states[key] for operator, key in keys.items()}

    def exec_state(self, operator: Operator) -> ExecState | None:
        """Return what an operator left; None where it has left nothing, or it cannot be read."""
        from aqueduct_provider.state.exec_state import exec_state_from_json

        key = self.layout.exec_state(operator.id)
        try:
            return exec_state_from_json(self.session.store.get(key))
        except ObjectNotFound:
            return None
        except IntegrityError as error:
            # The other operators can still be shown.
            log.warning("%s: %s", self.session.store.url(key), error)
            return None

    def why_missing(self, operator: Operator) -> str:
        """Return why the run lacks what this operator writes, in words."""
        try:
            tasks = self._tasks()
        except (AirflowError, NotFound):
            tasks = None
        (outcome,) = (one for one in self._outcomes(tasks) if one.task_id == operator.task_id)
        reason = f" {outcome.tip}" if outcome.tip else ""
        if outcome.status is ExecutionStatus.SUCCEEDED:
            reason = " Its Airflow task leaves the digests of what it wrote when it ends: read it then."
        return f"operator {operator.name!r} of run {self.run_id} is {outcome.word}.{reason}"
