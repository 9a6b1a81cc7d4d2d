"""Read runs as Airflow's database has them: all at once by the provider's route, else one by one.

In: a flow or runs of it. Out: the values of ``recorded_runs.py``. Either way they come from Airflow's
database, out of reach of those who can only write to the bucket.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from aqueduct_provider.errors import (
    AirflowError,
    AirflowLoginFailed,
    AirflowRefused,
    IntegrityError,
    NotFound,
    SpecError,
)
from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
from aqueduct_provider.sdk.airflow_api.flow_runs import flow_runs
from aqueduct_provider.sdk.results.outcomes import leaves_outcome, run_state
from aqueduct_provider.sdk.results.recorded_runs import RecordedRun, recorded_operators, recorded_run
from aqueduct_provider.sdk.results.run_reader import RunReader
from aqueduct_provider.sdk.results.runs_document import MOST_RUNS, runs_from
from aqueduct_provider.spec.dag_facts import DagFacts, facts_of
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.enums import ExecutionStatus
    from aqueduct_provider.sdk.results.outcomes import OperatorRun

log: logging.Logger = logging.getLogger("aqueduct")

# The route is not there, not for this user, or of another release.
_NO_ROUTE = (NotFound, AirflowRefused, AirflowLoginFailed, IntegrityError)
# What concerns one run alone: its objects were deleted or changed. The others can still be shown.
_OF_ONE_RUN = (IntegrityError, NotFound, SpecError)


class ComparableRun(RunReader, Protocol):
    """A run that can be read from the store alone, too."""

    def as_far_as_known(self) -> tuple[ExecutionStatus, list[OperatorRun], str]:
        """Return its status and operators, and why Airflow cannot be asked."""
        ...


def newest_by_route(airflow: Airflow, dag_id: str, limit: int) -> list[RecordedRun] | None:
    """Return the newest runs of a flow, newest first, a hundred with each request; None: no route.

    One line of the log says why there is none.
    """
    found: list[RecordedRun] = []
    before = ""
    try:
        while len(found) < limit:
            count = min(MOST_RUNS, limit - len(found))
            runs, before = runs_from(flow_runs(airflow, dag_id, limit=count, before=before))
            found += runs
            if not (runs and before):
                break
    except _NO_ROUTE as error:
        log.warning("The runs are read one by one, with a request for each of their tasks. %s", error)
        return None
    return found


def read_one_by_one(runs: Sequence[ComparableRun]) -> list[RecordedRun]:
    """Return runs, each by requests of its own; several at the same time.

    Of a run whose spec was deleted or changed, nothing else is known; one warning names such runs.

    :param runs: as Airflow has listed them.
    """
    failed: dict[str, Exception] = {}

    def read(run: ComparableRun) -> RecordedRun:
        assert run.info is not None
        try:
            return _by_requests(run, run.info)
        except _OF_ONE_RUN as error:
            failed[run.run_id] = error
            return RecordedRun(run.info)

    found = together([partial(read, run) for run in runs])
    if failed:
        reasons = "\n".join(f"  {run_id}: {error}" for run_id, error in failed.items())
        log.warning("%d of %d runs cannot be read:\n%s", len(failed), len(runs), reasons)
    return found


def read_run(run: ComparableRun) -> RecordedRun:
    """Return a run; where Airflow does not know it or is away, from the store alone, which a warning says.

    :raises NotFound: neither knows the run.
    """
    try:
        airflow = run.session.airflow(run.record.engine)
        try:
            ((found,), _) = runs_from(flow_runs(airflow, run.record.dag_id, run=run.run_id))
        except (*_NO_ROUTE, ValueError):
            return _by_requests(run, airflow.run(run.record.dag_id, run.run_id))
        return found
    except (AirflowError, NotFound) as error:
        return _by_store(run, error)


def _by_requests(run: ComparableRun, info: RunInfo) -> RecordedRun:
    airflow = run.session.airflow(run.record.engine)
    tasks = {task.task_id: task for task in airflow.tasks(run.record.dag_id, run.run_id)}
    ended = [task_id for task_id, task in tasks.items() if leaves_outcome(task)]
    left = {task_id: run.records.of(task_id).value for task_id in ended}
    facts = DagFacts.of(facts_of(run.spec))
    assert facts is not None, "a spec has operators"
    found = recorded_run(facts, info, tasks, left)
    return found if found.version else replace(found, version=facts.flow.version)


def _by_store(run: ComparableRun, error: Exception) -> RecordedRun:
    """Return how a run ended, by what its operators left; without what they wrote."""
    if not run.session.registry.version_of_run(run.record.flow_id, run.run_id):
        raise error
    status, operators, _ = run.as_far_as_known()
    log.warning("Of run %s, what operators wrote is not compared: %s", run.run_id, error)
    facts = DagFacts.of(facts_of(run.spec))
    assert facts is not None, "a spec has operators"
    outcomes = {one.task_id: one for one in operators}
    shown = recorded_operators(facts.tasks, {}, {}, outcomes)
    return RecordedRun(RunInfo(run.run_id, run_state(status)), shown, facts.flow.version)
