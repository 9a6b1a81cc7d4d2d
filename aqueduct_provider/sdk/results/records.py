"""The records of a run in Airflow's database: manifests in XCom, by which results are verified.

Airflow gives the value of one XCom entry per request, and none in lists: a task is asked for once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.manifest import LEFT_KEY, ArtifactRef, Manifest, manifest_from_xcom
from aqueduct_provider.errors import AirflowError, ConfigError, NotFound

if TYPE_CHECKING:
    from aqueduct_provider.runs.pinned_version import SpecRef
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.spec.models import Operator

_FAILED = ("failed", "up_for_retry")
# States of tasks that may have left a record, those that left all of it first.
RECORDED = ("success", *_FAILED)
_NO_XCOM = (
    "Airflow has no record of what task {task_id!r} wrote: its XCom was deleted or is kept outside of "
    "Airflow's database, or the task was marked as succeeded by hand."
)
# Seconds for which an Airflow that knows nothing of a run is not asked again.
_ABSENT_SECONDS = 30.0


@dataclass(frozen=True)
class Recorded:
    """Facts about an artifact, or an operator, from outside the store.

    :param ref: its digests, from Airflow's database.
    :param is_written: False: Airflow knows that the operator has not written it.
    :param why: why digests are missing, a sentence; empty where they are known.
    """

    ref: ArtifactRef | None = None
    is_written: bool = True
    why: str = ""


@dataclass(frozen=True)
class RunRecord:
    """The record of a task in Airflow's database.

    :param value: its XCom value; None: it has none.
    :param is_over: False: Airflow knows that the task has not succeeded, nor left anything.
    :param why: why the value is missing, a sentence.
    """

    task_id: str
    value: Mapping[str, Any] | None = None
    is_over: bool = True
    why: str = ""

    @property
    def spec(self) -> SpecRef | None:
        """The spec that the task went by; None where it did not say."""
        from aqueduct_provider.runs.pinned_version import SpecRef

        return SpecRef.from_xcom(self.value)

    def manifest(self, operator: Operator) -> Manifest | None:
        """Return what one operator of the task left; None where the task left nothing of it.

        :raises IntegrityError: another release has written the record.
        """
        if self.value is None:
            return None
        if operator.fuse is not None and operator.task_id not in self.value.get("operators", ()):
            return None
        return manifest_from_xcom(self.value, self.task_id, operator.task_id)

    def artifact(self, operator: Operator, artifact_id: str) -> Recorded:
        """Return what is known of an artifact of this task."""
        if self.value is None:
            return Recorded(is_written=self.is_over, why=self.why)
        manifest = self.manifest(operator)
        ref = manifest.artifacts.get(artifact_id) if manifest else None
        return Recorded(ref, is_written=ref is not None)


class Records:
    """The records of one run. Safe to use from several threads.

    :param engine: the Airflow that it ran on, as the flow's record in the bucket names it: where that one
        does not know it, others that are connected here are asked, too.
    """

    def __init__(self, session: Session, engine: str, dag_id: str, run_id: str) -> None:
        self._session, self._engine = session, engine
        self._dag_id, self._run_id = dag_id, run_id
        # Until when they hold: a task that left nothing may be run again.
        self._known: dict[str, tuple[float, RunRecord]] = {}
        self._absent = 0.0, ""

    def of(self, task_id: str, *, fresh: bool = False) -> RunRecord:
        """Return the record of an Airflow task.

        :param fresh: ask again; it may have run again.
        """
        until, known = self._known.get(task_id, (0.0, None))
        if known is not None and not fresh and time.monotonic() < until:
            return known
        until, why = self._absent
        if time.monotonic() < until:
            return RunRecord(task_id, why=why)
        found = self._asked(task_id)
        if found.value is not None or found.why:
            seconds = math.inf if found.value is not None else _ABSENT_SECONDS
            self._known[task_id] = time.monotonic() + seconds, found
        return found

    def _asked(self, task_id: str) -> RunRecord:
        """Return the record; remember for the run's other tasks that no Airflow knows it."""
        engines = self._session.engines()
        reasons = []
        for engine in sorted(engines, key=lambda name: name != self._engine):
            try:
                found = self._asked_at(self._session.airflow(engine), task_id)
            except (AirflowError, ConfigError, NotFound) as error:
                reasons.append(str(error))
                continue
            if found is not None:
                return found
            reasons.append(f"{engine!r} does not know the run {self._run_id} (any more).")
        why = " ".join(reasons) or "No Airflow is connected here."
        self._absent = time.monotonic() + _ABSENT_SECONDS, why
        return RunRecord(task_id, why=why)

    def _asked_at(self, airflow: Airflow, task_id: str) -> RunRecord | None:
        """Return the record of one Airflow; None where it does not know the run."""
        value = airflow.xcom(self._dag_id, self._run_id, task_id)
        if isinstance(value, Mapping):
            return RunRecord(task_id, value)
        try:
            tasks = {task.task_id: task.state for task in airflow.tasks(self._dag_id, self._run_id)}
        except NotFound:
            return None
        if tasks.get(task_id) == "success":
            return RunRecord(task_id, why=_NO_XCOM.format(task_id=task_id))
        if tasks.get(task_id) in _FAILED:
            left = airflow.xcom(self._dag_id, self._run_id, task_id, LEFT_KEY)
            if isinstance(left, Mapping):
                return RunRecord(task_id, left)
        return RunRecord(task_id, is_over=False)
