"""Check whether checks that only warn have passed: Airflow's database decides, not exec states.

Airflow counts the task of such a check as succeeded in either case, so its state does not show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import OperatorRun
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import TaskInfo
    from aqueduct_provider.sdk.results.records import Records
    from aqueduct_provider.spec.models import Operator, WorkflowSpec

_DID_NOT_PASS = "The check did not pass (returned False)."


class CheckResults:
    """The results of one run's checks; each try of a check is asked for once."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._known: dict[tuple[str, int], str] = {}

    def verified(
        self, spec: WorkflowSpec, tasks: Mapping[str, TaskInfo], found: Sequence[OperatorRun]
    ) -> list[OperatorRun]:
        """Return operators as they ended, with the results of checks as Airflow's database has them.

        :param found: in the order of the spec, as the exec states say.
        """
        checks = [one for one in spec.operators if _only_warns(one, tasks)]
        results = together([partial(self._result, one, tasks[one.airflow_task_id]) for one in checks])
        known = {one.task_id: result for one, result in zip(checks, results, strict=True)}
        # Nothing else has an outcome that is neither a success nor a failure.
        known |= {
            one.task_id: "succeeded" for one in spec.operators if one not in checks and _succeeded(one, tasks)
        }
        return [corrected(one, known.get(one.task_id, "")) for one in found]

    def _result(self, operator: Operator, task: TaskInfo) -> str:
        """Return the status in the manifest of the check; empty where there is none."""
        key = operator.task_id, task.try_number
        if key not in self._known:
            try:
                record = self._records.of(task.task_id, fresh=any(one == key[0] for one, _ in self._known))
                manifest = record.manifest(operator)
            except IntegrityError:
                return ""
            if manifest is None:
                return ""
            self._known[key] = manifest.status
        return self._known[key]


def _only_warns(operator: Operator, tasks: Mapping[str, TaskInfo]) -> bool:
    is_one = operator.type == "check" and operator.severity == "warning"
    return is_one and _succeeded(operator, tasks)


def _succeeded(operator: Operator, tasks: Mapping[str, TaskInfo]) -> bool:
    task = tasks.get(operator.airflow_task_id)
    return task is not None and task.state == "success"


def corrected(found: OperatorRun, result: str) -> OperatorRun:
    """Return an operator as it ended, where its manifest says so.

    :param result: the status in its manifest; empty: unknown.
    """
    if not result or found.warning is (result == "warning"):
        return found
    if result == "warning":
        return replace(found, status=ExecutionStatus.FAILED, warning=True, tip=_DID_NOT_PASS)
    return replace(found, status=ExecutionStatus.SUCCEEDED, warning=False, tip="", traceback="")
