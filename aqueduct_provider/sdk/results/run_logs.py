"""The logs of a run, the user's own lines first: what the code printed, then what Airflow keeps of the task.

In: a run. Out: text. What an operator printed is in its exec state, of its last try only; of earlier ones
Airflow's log has these lines among its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.results.fused_runs import counts, may_have_state, part_of_log
from aqueduct_provider.sdk.results.outcomes import labels
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.airflow_api.api_models import TaskInfo
    from aqueduct_provider.sdk.results.run_reader import RunReader
    from aqueduct_provider.spec.models import Operator

Tasks = Mapping[str, "TaskInfo"] | None

# Between what the code printed and Airflow's log.
BORDER = "--- Airflow's log ---"


def log_of(
    run: RunReader, operator: Operator, tasks: Tasks, airflow: Airflow, try_number: int | None = None
) -> str:
    """Return the log of one operator.

    :param tasks: of the run; None: Airflow does not know it.
    :param try_number: which try, from 1 on; None: the last one.
    :raises NotFound: it had no such try.
    """
    printed, kept = _parts(run, operator, tasks, airflow, try_number)
    return f"{printed.rstrip()}\n\n{BORDER}\n{kept}" if printed and kept else printed or kept


def logs_of(run: RunReader, tasks: Tasks, airflow: Airflow) -> str:
    """Return what all operators have printed, in the order of the flow, then Airflow's logs of them."""
    operators = run.spec.operators
    # One request each, where Airflow has a log.
    reads = [partial(_parts, run, operator, tasks, airflow, None) for operator in operators]
    titled = zip(labels(operators), together(reads), strict=True)
    found = [(label, printed, kept) for label, (printed, kept) in titled]
    sections = [
        *((label, printed) for label, printed, _ in found),
        *((f"{label}: Airflow's log", kept) for label, _, kept in found),
    ]
    return "\n\n".join(f"=== {title} ===\n{text.rstrip()}" for title, text in sections if text)


def _parts(
    run: RunReader, operator: Operator, tasks: Tasks, airflow: Airflow, try_number: int | None
) -> tuple[str, str]:
    """Return what the code printed, and Airflow's log."""
    task = tasks.get(operator.airflow_task_id) if tasks else None
    tries = task.try_number if task else 0
    if try_number is not None and not 1 <= try_number <= max(1, tries):
        raise NotFound(f"{operator.name!r} has no try {try_number!r} in run {run.run_id}: it had {tries}.")
    is_last = try_number in (None, tries) and (task is None or may_have_state(operator, task))
    state = run.exec_state(operator) if is_last else None
    if operator.fuse is not None and task and not counts(state, task):
        state = None
    printed = f"{state.stdout}{state.stderr}" if state else ""
    if task is None:
        return printed, ""
    text = airflow.log(run.record.dag_id, run.run_id, task.task_id, max(1, try_number or tries))
    return printed, part_of_log(text, operator, run.spec)
