"""Stage 2, the DAG that stands in for a spec that cannot be used.

In: the spec's file name and its error. Out: a paused DAG whose docs show the error and whose only task fails
with it. Airflow itself could only report the error against the loader file, which hides every DAG of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import Any

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, BaseOperator

from aqueduct_provider.errors import SpecError
from aqueduct_provider.factory.docs import code_block, markdown, one_line, shown

PREFIX = "broken_spec__"


def placeholder_id(name: str) -> str:
    """The DAG id of the placeholder of the file ``name``: no two files have the same."""
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    if safe != name or len(safe) > 200:
        # A readable file name ends in .json, so the two kinds cannot meet.
        safe = f"{safe[:150]}_{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return PREFIX + safe


def placeholder(name: str, error: SpecError, *, fileloc: str) -> DAG:
    """The DAG that shows why the file ``name`` gives no flow.

    :param fileloc: the Python file in which Airflow finds the DAG again.
    """
    message = shown(str(error))
    dag = DAG(
        placeholder_id(name),
        dag_display_name=one_line(f"broken spec: {name}"),
        schedule=None,
        catchup=False,
        is_paused_upon_creation=True,
        tags=["aqueduct", "broken spec"],
        doc_md=markdown(
            "**This spec cannot be used.** Its flow is back as soon as the file is mended or removed.",
            code_block(message),
        ),
    )
    dag.fileloc = fileloc
    BrokenSpec(task_id="show_error", dag=dag, retries=0, error=message)
    return dag


class BrokenSpec(BaseOperator):
    """Fails with the error of a spec.

    :param error: the message.
    """

    ui_color = "#f4c7c3"

    def __init__(self, *, error: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.error = error

    def execute(self, context: Any) -> None:  # noqa: ARG002
        """Raise ``AirflowFailException`` with the message, so that no retry follows."""
        raise AirflowFailException(self.error)
