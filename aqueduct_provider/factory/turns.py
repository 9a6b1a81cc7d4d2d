"""Share the time that Airflow gives a loader among its specs, and remember which ones had no turn.

In: Airflow's own timer for the import of the DAG file. Out: whether there is time for one more spec. Of an
import that takes longer than ``[core] dagbag_import_timeout``, Airflow shows no DAG at all; one that is only
missing stays as it was for about a minute. So a loader that runs out of time leaves out specs, says so, and
begins with these the next time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider import config
from aqueduct_provider.errors import AqueductError
from aqueduct_provider.factory.time_limit import SECONDS
from aqueduct_provider.spec.document import json_value

log = logging.getLogger(__name__)

# Of the time that is left. Airflow then stores the DAGs, within dag_file_processor_timeout.
_SHARE = 0.5
# One spec may take so much of that.
_ONE = 0.25
# Reading takes a fraction of what making the DAGs takes, so this is only reached where disks are slow.
_READING = 0.5


@dataclass(frozen=True)
class Turns:
    """The time of one parse.

    :param began: by the monotonic clock.
    :param seconds: for all specs; infinite where Airflow sets no limit.
    """

    began: float
    seconds: float

    @classmethod
    def begin(cls) -> Turns:
        """Take a share of what is left of Airflow's timer."""
        left = signal.getitimer(signal.ITIMER_REAL)[0]
        return cls(time.monotonic(), left * _SHARE if left else math.inf)

    @property
    def each(self) -> float:
        """Seconds of computing that one spec may take."""
        return min(SECONDS, self.seconds * _ONE)

    def are_over(self, *, reading: bool = False) -> bool:
        """Check whether the time for one more spec is used up.

        :param reading: the spec is about to be read; building its DAG takes time as well.
        """
        share = _READING if reading else 1
        return time.monotonic() - self.began > self.seconds * share


def left_out(fileloc: str) -> list[str]:
    """Return the names of the specs that had no turn in the last parse; those that wait longest first."""
    try:
        return list(map(str, json_value(_file_of(fileloc).read_bytes())))
    except (OSError, ValueError, TypeError, AqueductError):
        return []


def keep_left_out(fileloc: str, names: Sequence[str]) -> None:
    """Keep the names for the next parse of the loader."""
    from aqueduct_provider.spec_sources.mirror import prepare
    from aqueduct_provider.storage.files import replacing

    try:
        path = _file_of(fileloc)
        if not names:
            path.unlink(missing_ok=True)
            return
        prepare(path.parent)
        with replacing(path) as file:
            file.write(json.dumps(names).encode())
    except (OSError, AqueductError) as error:
        log.info("The specs without a turn are not kept: %s", error)


def _file_of(fileloc: str) -> Path:
    digest = hashlib.sha256(os.fsencode(fileloc)).hexdigest()
    return config.cache_dir() / "turns" / f"{digest[:32]}.json"
