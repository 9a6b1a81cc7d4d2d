"""DAGs, runs and tasks as Airflow's REST API returns them, in the same form for both lines (pure).

In: the JSON objects of ``/api/v2`` (Airflow 3) and ``/api/v1`` (2.11). Out: frozen values with aware
datetimes. A field that a line does not have is ``None`` or empty.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from aqueduct_provider.errors import AuthoringError

QUEUED, RUNNING, SUCCESS, FAILED = "queued", "running", "success", "failed"
ACTIVE_STATES = (QUEUED, RUNNING)


@dataclass(frozen=True)
class RunInfo:
    """One run of a DAG.

    :param state: ``queued``, ``running``, ``success`` or ``failed``.
    :param queued_at: None on Airflow 2.11, which does not report it.
    :param conf: what the run was triggered with.
    :param logical_date: runs triggered on Airflow 3 have none.
    """

    run_id: str
    state: str
    queued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    conf: Mapping[str, Any] = field(default_factory=dict)
    logical_date: datetime | None = None

    @property
    def created_at(self) -> datetime | None:
        """When it was queued; Airflow 2.11's REST API does not report that of runs that wait."""
        return self.queued_at or self.started_at or self.logical_date


@dataclass(frozen=True)
class TaskInfo:
    """One task of a run, as its newest try left it.

    :param state: ``None`` before the scheduler has looked at it.
    :param try_number: 0 before the first try.
    :param duration: seconds.
    """

    task_id: str
    state: str | None
    try_number: int
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: float | None = None


@dataclass(frozen=True)
class DagInfo:
    """One DAG.

    :param description: empty: Airflow has none of it.
    :param file_token: names its file when Airflow is asked to parse it again.
    :param is_gone: its file is gone: Airflow keeps its history, and no run can be started.
    :param has_import_errors: its file cannot be loaded; Airflow shows the DAG as it was.
    :param bundle: where Airflow 3 has its file from.
    """

    dag_id: str
    is_paused: bool
    tags: tuple[str, ...] = ()
    file_token: str = ""
    display_name: str = ""
    is_gone: bool = False
    has_import_errors: bool = False
    bundle: str = ""
    description: str = ""


@dataclass(frozen=True)
class ImportErrorInfo:
    """A file that Airflow cannot load.

    :param filename: as Airflow names it: a path, on Airflow 3 one below its bundle.
    """

    filename: str
    stack_trace: str


def run_of(data: Mapping[str, Any]) -> RunInfo:
    """Parse a run."""
    return RunInfo(
        run_id=data["dag_run_id"],
        state=data["state"],
        queued_at=moment_of(data.get("queued_at")),
        started_at=moment_of(data.get("start_date")),
        ended_at=moment_of(data.get("end_date")),
        conf=data.get("conf") or {},
        logical_date=moment_of(data.get("logical_date")),
    )


def task_of(data: Mapping[str, Any]) -> TaskInfo:
    """Parse a task instance."""
    started, ended = moment_of(data.get("start_date")), moment_of(data.get("end_date"))
    return TaskInfo(
        task_id=data["task_id"],
        state=data["state"],
        try_number=data.get("try_number") or 0,
        started_at=started,
        ended_at=ended,
        # Airflow 3.0's own is wrong where its database is SQLite.
        duration=(ended - started).total_seconds() if started and ended else None,
    )


def dag_of(data: Mapping[str, Any]) -> DagInfo:
    """Parse a DAG."""
    return DagInfo(
        dag_id=data["dag_id"],
        is_paused=bool(data["is_paused"]),
        tags=tuple(tag["name"] for tag in data.get("tags") or ()),
        file_token=data.get("file_token") or "",
        display_name=data.get("dag_display_name") or "",
        is_gone=bool(data.get("is_stale", not data.get("is_active", True))),
        has_import_errors=bool(data.get("has_import_errors")),
        bundle=data.get("bundle_name") or "",
        description=data.get("description") or "",
    )


def import_error_of(data: Mapping[str, Any]) -> ImportErrorInfo:
    """Parse an import error."""
    return ImportErrorInfo(data["filename"], data.get("stack_trace") or "")


def xcom_of(data: Mapping[str, Any]) -> Any:
    """Return the value of an XCom entry, which some releases give as JSON or as Python writes it."""
    value = data["value"]
    for read in (json.loads, ast.literal_eval):
        if not isinstance(value, str):
            break
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = read(value)
    return value


def moment_of(text: str | None) -> datetime | None:
    """Parse a moment as both lines write it; one without an offset is UTC."""
    if not text:
        return None
    # Python 3.10 reads neither "Z" nor fractions of other than three or six digits.
    plain = re.sub(r"\.(\d+)", lambda found: f".{found[1][:6]:0<6}", text.replace("Z", "+00:00"))
    moment = datetime.fromisoformat(plain)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def plain_conf(conf: Mapping[str, Any]) -> dict[str, Any]:
    """Return the conf of a run as JSON holds it. Raise ``AuthoringError`` where it cannot."""
    try:
        json.dumps(dict(conf), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AuthoringError(
            f"The run's conf cannot be written as JSON ({error}). Use strings, numbers, lists and dicts."
        ) from error
    return dict(conf)
