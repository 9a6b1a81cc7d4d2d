"""Stage 9, the exec state: how one operator of one run ended (Aqueduct formats, section 5).

In: how the attempt went. Out: the JSON that is written to the store as the attempt's last act.
Imports nothing that could fail: it must be writable when everything else has failed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum, IntEnum


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
class ExecState:
    """How an operator ended.

    :param tip: one sentence for people; empty when nothing failed.
    :param context: the traceback; for user errors from the user's first frame on.
    :param stdout: what the user's code printed, on success and on failure.
    """

    status: Status
    failure_type: FailureType | None = None
    tip: str = ""
    context: str = ""
    stdout: str = ""
    stderr: str = ""

    def to_json(self) -> bytes:
        """The stored form."""
        failed = self.tip or self.context
        return json.dumps(
            {
                "user_logs": {"stdout": self.stdout, "stderr": self.stderr},
                "status": self.status.value,
                "failure_type": None if self.failure_type is None else int(self.failure_type),
                "error": {"tip": self.tip, "context": self.context} if failed else None,
            }
        ).encode()
