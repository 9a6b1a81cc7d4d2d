"""Delete old runs after a flow has succeeded: from Airflow's context to ``runs/retention.py``.

``prune_after_success`` is an ``on_success_callback`` of the task that announces the success of its flow. In
``execute`` it would run before Airflow knows of that success, and count in the task's own timeout.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from aqueduct_provider.compat import dag_run_state
from aqueduct_provider.spec.models import WorkflowSpec

log = logging.getLogger(__name__)


def deletes(workflow: WorkflowSpec) -> bool:
    """Return whether anything is deleted when a run of this flow has succeeded."""
    unkept = any(not artifact.keep_snapshot for artifact in workflow.artifacts)
    return workflow.compiled is None and (workflow.retention.k_latest_runs is not None or unkept)


def prune_after_success(context: Mapping[str, Any]) -> None:
    """Delete what the flow of this task does not keep, and log one line; never raises.

    :param context: Airflow's; its task has the attribute ``workflow``.
    """
    workflow: WorkflowSpec = context["task"].workflow
    try:
        if line := _prune(workflow, context):
            log.info("Retention: %s.", line)
    except Exception as error:
        log.warning(
            "Retention: not all was deleted that the flow does not keep. The next run that succeeds goes on "
            "with it. %s: %s",
            type(error).__name__,
            workflow.redact(str(error)),
        )


def _prune(workflow: WorkflowSpec, context: Mapping[str, Any]) -> str:
    from aqueduct_provider.hooks.aqueduct import store_for
    from aqueduct_provider.runs import retention

    state_of = partial(dag_run_state, context["ti"])
    names, pruned = retention.prune_after_success(store_for(workflow), workflow, context["run_id"], state_of)
    said = []
    if pruned:
        runs = ", ".join(one.run_id for one in pruned)
        keep = workflow.retention.k_latest_runs
        said.append(f"deleted {retention.total(pruned)}, for k_latest_runs={keep}: {runs}")
    if names:
        said.append(f"deleted what keeps no snapshot of this run: {', '.join(names)}")
    return "; ".join(said)
