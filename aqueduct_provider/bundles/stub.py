"""The Python file of one spec in a bundle, and what it does when Airflow runs it.

In: a spec's file name and digest. Out: the stub's text, which changes exactly when these do; run by Airflow,
the DAG of that very spec, or its error, which Airflow then shows as the import error of this one file. The
content comes from the bundle's folder; a worker that lacks it fetches it from the pins. Imports stay inside
functions, because Airflow parses each stub.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.errors import Problem, SpecError

if TYPE_CHECKING:
    from aqueduct_provider.compat import DAG

SUFFIX = ".py"
TRACKING = "tracking"
# Of file systems, in bytes, less the suffix.
_LONGEST = 255 - len(SUFFIX)

# Airflow takes a file for DAGs only where it reads "airflow" and "dag".
_TEXT = """\
# An Airflow DAG made of an Aqueduct spec. AqueductDagBundle wrote this file: changes to it are lost.
from aqueduct_provider.bundles.stub import dag_of_stub

globals().update(dag_of_stub(__file__, {arguments}))
"""


def stub_name(spec_name: str) -> str:
    """Return the stub's file name. No module can have it, so a stub never shadows a package."""
    if len(os.fsencode(spec_name)) > _LONGEST:
        digest = hashlib.sha256(os.fsencode(spec_name)).hexdigest()[:16]
        spec_name = f"{spec_name[:40]}...{digest}.json"
    return f"{spec_name}{SUFFIX}"


def stub_text(sha256: str, *, taken_by: str = "", problem: str = "") -> str:
    """Return the stub of a spec.

    :param sha256: digest of the spec; empty where there is a problem.
    :param taken_by: the file that has the same DAG id, and wins.
    :param problem: why the spec cannot be read.
    """
    arguments = [f'sha256="{sha256}"']
    # ascii() leaves nothing that could end the text or the line.
    arguments += [f"taken_by={taken_by!a}"] if taken_by else []
    arguments += [f"problem={problem!a}"] if problem else []
    return _TEXT.format(arguments=", ".join(arguments))


def dag_of_stub(file: str, *, sha256: str, taken_by: str = "", problem: str = "") -> dict[str, DAG]:
    """Return the DAG of a stub, by its id.

    :param file: the stub's own path.
    :raises SpecError: the spec is wrong, or cannot be read.
    """
    from aqueduct_provider.bundles.contents import content_of
    from aqueduct_provider.bundles.source import origin_of
    from aqueduct_provider.factory.dag import dag_of
    from aqueduct_provider.factory.load_dags import check_dag_id
    from aqueduct_provider.factory.time_limit import time_limit
    from aqueduct_provider.spec import loader

    path = Path(file)
    name = path.name.removesuffix(SUFFIX)
    base = path.parent.parent if path.parent.name == TRACKING else path.parent.parent.parent
    label = origin_of(base) + name
    if problem:
        raise SpecError(label, [Problem("$", problem)])
    data = content_of(base, sha256)
    with time_limit(label):
        spec = loader.parse(data, label)
    check_dag_id(spec.dag_id, data, label)
    if taken_by:
        message = f"{spec.dag_id!r} is the DAG id of {taken_by} already; remove one of the two files"
        raise SpecError(label, [Problem("$.dag_id", message)])
    with time_limit(label):
        dag = dag_of(spec, source=label, fileloc=file)
    return {dag.dag_id: dag}
