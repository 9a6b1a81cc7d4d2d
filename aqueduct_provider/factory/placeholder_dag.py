"""The DAG that replaces a spec that cannot be used, or for a whole store of them.

In: the spec's name and its error. Out: a paused DAG whose docs show the error and whose only task fails with
it. Airflow itself could only report the error against the loader file, which hides every DAG of it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from aqueduct_provider.compat import DAG, AirflowFailException, BaseOperator, Stats
from aqueduct_provider.errors import SpecError
from aqueduct_provider.factory.docs import code_block, code_span, markdown, one_line, shown
from aqueduct_provider.spec.redactor import Redactor

log = logging.getLogger(__name__)

PREFIX = "broken_spec__"
# Specs that a message names.
_NAMED = 20


def placeholder_id(name: str) -> str:
    """Return the DAG id of the placeholder of the file ``name``: no two files have the same."""
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    if safe != name or len(safe) > 200:
        # A readable file name ends in .json, so the two kinds cannot meet.
        safe = f"{safe[:150]}_{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return PREFIX + safe


def placeholder(name: str, error: SpecError, *, fileloc: str) -> DAG:
    """Return the DAG that shows why the file ``name`` gives no flow.

    :param fileloc: the Python file in which Airflow finds the DAG again.
    """
    lead = "**This spec cannot be used.** Its flow is back as soon as the file is fixed or removed."
    return _placeholder(name, f"broken spec: {name}", lead, str(error), fileloc)


def store_placeholder(connection_id: str, error: str, *, fileloc: str) -> DAG:
    """Return the DAG that shows why the store of an Airflow connection gives no flows.

    :param fileloc: the Python file in which Airflow finds the DAG again.
    """
    lead = (
        f"**The specs in the store of the connection {code_span(connection_id)} cannot be read.**"
        " Its flows are shown as soon as they can."
    )
    title = f"no specs from the store of {connection_id}"
    return _placeholder(f"aqueduct_store_{connection_id}", title, lead, error, fileloc)


def left_out_placeholder(names: Sequence[str], total: int, *, fileloc: str) -> DAG:
    """Return the DAG that shows that Airflow gives the loader too little time for all of its specs.

    :param names: of the specs that had no turn.
    :param total: how many there are.
    :param fileloc: the Python file in which Airflow finds the DAG again.
    """
    lead = (
        "**There was no time for some of the specs.** Airflow shows their flows as they last were, for about"
        " a minute; the next parse begins with them."
    )
    shown_names = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    error = (
        f"{len(names)} of {total} specs had no turn, for the others took half of the time that Airflow gives"
        f" this loader: {shown_names}. Raise dagbag_import_timeout and dag_file_processor_timeout in"
        " airflow.cfg, put the specs into several folders with a loader each, or, on Airflow 3, use"
        " AqueductDagBundle."
    )
    return _placeholder("aqueduct_left_out", "specs without a turn", lead, error, fileloc)


def report_count(fileloc: str, dag_ids: Iterable[str]) -> None:
    """Set the metric ``aqueduct.broken_specs.<loader>`` of the DAG processor, by which monitors see them.

    :param fileloc: the loader.
    :param dag_ids: all that it shows.
    """
    loader = re.sub(r"[^A-Za-z0-9_-]", "_", Path(fileloc).stem)
    count = sum(dag_id.startswith(PREFIX) for dag_id in dag_ids)
    try:
        Stats.gauge(f"aqueduct.broken_specs.{loader}", count)
    except Exception as error:
        # It must not hide every DAG of the loader.
        log.warning("The metric of broken specs could not be set: %s", error)


def _placeholder(name: str, title: str, lead: str, error: str, fileloc: str) -> DAG:
    # A store's URL may have a user part.
    message = shown(Redactor()(error))
    dag = DAG(
        placeholder_id(name),
        dag_display_name=one_line(title),
        schedule=None,
        catchup=False,
        is_paused_upon_creation=True,
        tags=["aqueduct", "broken spec"],
        doc_md=markdown(lead, code_block(message)),
    )
    dag.fileloc = fileloc
    BrokenSpec(task_id="show_error", dag=dag, retries=0, error=message)
    return dag


class BrokenSpec(BaseOperator):
    """Fails with the error of a spec or a store.

    :param error: the message.
    """

    custom_operator_name = "broken spec"
    ui_color = "#f4c7c3"

    def __init__(self, *, error: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.error = error

    def execute(self, context: Any) -> None:  # noqa: ARG002
        """Raise ``AirflowFailException`` with the message, so that no retry follows."""
        raise AirflowFailException(self.error)
