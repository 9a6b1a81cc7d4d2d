"""The branches between Airflow 2.11 and 3 that ``airflow.providers.common.compat`` does not cover.

In: whichever Airflow is installed. Out: one name for each thing that the lines spell differently.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_0_PLUS

try:
    from airflow.sdk import CronTriggerTimetable
except ImportError:
    from airflow.timetables.trigger import CronTriggerTimetable

try:
    from airflow.providers.common.compat.sdk import mask_secret
except ImportError:
    # The last common-compat for Python 3.10 lacks it.
    from airflow.utils.log.secrets_masker import mask_secret

__all__ = ["ANY_ITEMS", "CronTriggerTimetable", "bundle_version", "dag_run_state", "mask_secret"]

# The trigger forms edit an array as one string per line, and so would turn [1, 2] into ["1", "2"], unless
# its items have a type that is not just a string (Airflow 3) or have no type at all (2.11): then as JSON.
ANY_ITEMS: dict[str, Any] = (
    {"type": ["string", "number", "boolean", "object", "array", "null"]}
    if AIRFLOW_V_3_0_PLUS
    else {"title": "any JSON value"}
)


def bundle_version(version: str) -> Any:
    """What a DAG bundle says of its version: an object since Airflow 3.3, text before."""
    try:
        from airflow.dag_processing.bundles.base import BundleVersion
    except ImportError:
        return version
    return BundleVersion(version)


def dag_run_state(ti: Any, run_id: str) -> str | None:
    """Airflow's state of a run of a task's DAG, asked in that task; None where Airflow has no such run.

    :param ti: the task instance of the context.
    """
    if AIRFLOW_V_3_0_PLUS:
        from airflow.sdk.exceptions import AirflowRuntimeError

        try:
            state = ti.get_dagrun_state(dag_id=ti.dag_id, run_id=run_id)
        except AirflowRuntimeError as error:
            if (error.error.detail or {}).get("status_code") != 404:
                raise
            return None
    else:
        from airflow.models import DagRun

        found = DagRun.find(dag_id=ti.dag_id, run_id=run_id)
        state = found[0].state if found else None
    return None if state is None else str(getattr(state, "value", state))
