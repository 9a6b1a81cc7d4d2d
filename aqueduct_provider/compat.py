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

__all__ = ["ANY_ITEMS", "CronTriggerTimetable", "mask_secret"]

# The trigger forms edit an array as one string per line, and so would turn [1, 2] into ["1", "2"], unless
# its items have a type that is not just a string (Airflow 3) or have no type at all (2.11): then as JSON.
ANY_ITEMS: dict[str, Any] = (
    {"type": ["string", "number", "boolean", "object", "array", "null"]}
    if AIRFLOW_V_3_0_PLUS
    else {"title": "any JSON value"}
)
