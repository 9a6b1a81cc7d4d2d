"""Describe how one operator of one run ended (Aqueduct formats, section 5).

In: how the attempt went. Out: the JSON that is written to the store as the attempt's last act, and the way
back for those who read it.
Imports nothing that could fail: it must be writable when everything else has failed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any

from aqueduct_provider.errors import IntegrityError


class Status(str, Enum):
    """The statuses that an attempt can leave."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class FailureType(IntEnum):
    """Whose failure it was, and whether the flow goes on."""

    SYSTEM = 1
    USER_FATAL = 2
    USER_NON_FATAL = 3


@dataclass(frozen=True)
class TaskPart:
    """This operator's part of an Airflow task that runs several.

    :param try_number: the try of the task: an exec state of an earlier one says nothing of this one.
    """

    try_number: int
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class ExecState:
    """The end of an operator.

    :param tip: one sentence for users; empty when nothing failed.
    :param context: the traceback; for user errors from the user's first frame on.
    :param stdout: what the user's code printed, on success and on failure.
    :param version: id of the version that the task ran with; None for compiled flows, whose format is fixed.
    :param part: None for an operator that has an Airflow task of its own, which records the same.
    """

    status: Status
    failure_type: FailureType | None = None
    tip: str = ""
    context: str = ""
    stdout: str = ""
    stderr: str = ""
    version: str | None = None
    part: TaskPart | None = None

    def to_json(self) -> bytes:
        """Return the stored form."""
        failed = self.tip or self.context
        document: dict[str, Any] = {
            "user_logs": {"stdout": self.stdout, "stderr": self.stderr},
            "status": self.status.value,
            "failure_type": None if self.failure_type is None else int(self.failure_type),
            "error": {"tip": self.tip, "context": self.context} if failed else None,
        }
        if self.version is not None:
            document["version"] = self.version
        if self.part is not None:
            document["task"] = {
                "try_number": self.part.try_number,
                "started_at": self.part.started_at.isoformat(),
                "ended_at": self.part.ended_at.isoformat(),
            }
        return json.dumps(document).encode()


def exec_state_from_json(data: bytes) -> ExecState:
    """Parse the exec state in ``data``.

    :raises IntegrityError: there is none.
    """
    try:
        document: dict[str, Any] = json.loads(data)
        logs, why = document["user_logs"], document.get("error") or {}
        kind = document.get("failure_type")
        return ExecState(
            Status(document["status"]),
            None if kind is None else FailureType(kind),
            _text(why.get("tip", "")),
            _text(why.get("context", "")),
            _text(logs["stdout"]),
            _text(logs["stderr"]),
            None if document.get("version") is None else _text(document["version"]),
            _part(document.get("task")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IntegrityError(
            f"An exec state cannot be read ({type(error).__name__}: {error}). Was it changed by hand? Run "
            "the task again to write a new one."
        ) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in place of a string")
    return value


def _part(document: dict[str, Any] | None) -> TaskPart | None:
    if document is None:
        return None
    number = document["try_number"]
    if type(number) is not int:
        raise TypeError(f"{type(number).__name__} in place of a number")
    return TaskPart(number, moment_of(document["started_at"]), moment_of(document["ended_at"]))


def moment_of(text: str) -> datetime:
    """Return the moment that a document gives.

    :raises ValueError: it is none, or has no offset; moments with and without cannot be compared.
    """
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("a moment has no offset")
    return moment
