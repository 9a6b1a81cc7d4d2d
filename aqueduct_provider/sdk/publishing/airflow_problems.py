"""Report why Airflow does not show a flow: its import errors, and the placeholder DAGs of broken specs.

In: an Airflow. Out: one sentence for a flow, or none. Import errors that the user may not see count as none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AirflowRefused, NotFound

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.airflow_api.api_models import ImportErrorInfo
    from aqueduct_provider.sdk.publishing.registry import FlowRecord

# The tag of the placeholder DAGs of specs that cannot be used, and how their names begin.
_BROKEN = "broken spec"
# Of the file that a bundle writes for each spec.
_STUB_SUFFIX = ".json.py"
# What the name or the trace of a loader holds, whatever its error is.
_LOADER = re.compile("aqueduct|DagFactory")
_QUALIFIED = re.compile(r"^(?:\w+\.)+(?=\w+(?::|$))")


@dataclass(frozen=True)
class AirflowProblems:
    """Problems that Airflow reports of specs and DAG files that it cannot use.

    :param placeholders: the ids of the placeholder DAGs, by the name of the spec.
    :param errors: import errors of files that hold one DAG, by its id.
    :param shared: what concerns all flows of a loader, or of a store; empty: nothing.
    """

    placeholders: Mapping[str, str]
    errors: Mapping[str, str]
    shared: str

    def of(self, record: FlowRecord) -> str:
        """Return what is wrong with the flow itself, in words; empty where nothing is known."""
        for place in (record.delivered_to, PurePosixPath(record.delivered_to).name):
            if place in self.placeholders:
                return f"The spec cannot be used; the DAG {self.placeholders[place]} shows why."
        return self.errors.get(record.dag_id, "")


NO_PROBLEMS = AirflowProblems({}, {}, "")


def airflow_problems(airflow: Airflow) -> AirflowProblems:
    """Ask Airflow what it cannot use, with two requests.

    :raises AirflowError: it does not answer.
    """
    named, shared = dict[str, str](), ""
    for dag in airflow.dags(_BROKEN):
        start, colon, place = dag.display_name.partition(": ")
        if colon and start == _BROKEN:
            named[place] = dag.dag_id
        else:
            shared = f"Airflow has {dag.display_name}; the DAG {dag.dag_id} shows why."
    errors: dict[str, str] = {}
    for error in _import_errors(airflow):
        name = PurePosixPath(error.filename).name
        said = f"{name} cannot be imported: {_message(error.stack_trace)}"
        errors[name.removesuffix(".py").removesuffix(".json")] = said
        if _LOADER.search(f"{error.filename}\n{error.stack_trace}") and not name.endswith(_STUB_SUFFIX):
            shared = shared or said
    return AirflowProblems(named, errors, shared)


def _import_errors(airflow: Airflow) -> Sequence[ImportErrorInfo]:
    try:
        return airflow.import_errors()
    except (AirflowRefused, NotFound):
        # Not every user may see them.
        return ()


def _message(stack_trace: str) -> str:
    """Return the exception that a stack trace ends with, in one line: ``KeyError: 'x'``."""
    lines = stack_trace.rstrip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    # Below a frame are its code, indented, and then the exception, whose message may have several lines.
    below = lines[frames[-1] + 1 :] if frames else lines[-1:]
    while below and below[0].startswith(" "):
        below = below[1:]
    return _QUALIFIED.sub("", " ".join(" ".join(below).split()), count=1)
