"""One spec -> one Airflow DAG with a task for each operator.

It is the same DAG for the same spec in every process, because Airflow 3 makes a new version of a DAG whenever
its serialized form changes. Secrets of a spec stay in attributes that Airflow does not serialize.
"""

from __future__ import annotations

from datetime import datetime, timezone

from aqueduct_provider.compat import DAG
from aqueduct_provider.errors import Problem, SpecError
from aqueduct_provider.factory.dag_schedule import schedule_of
from aqueduct_provider.factory.docs import code_span, markdown, one_line
from aqueduct_provider.factory.params import params_of
from aqueduct_provider.factory.tasks import add_tasks
from aqueduct_provider.operators.page_links import has_pages, page_path
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.spec.version_label import version_label

START_DATE = datetime(2022, 1, 1, 1, tzinfo=timezone.utc)


def dag_of(spec: WorkflowSpec, *, source: str, fileloc: str) -> DAG:
    """Return the DAG of a spec.

    :param source: the spec's file name or URL, for its docs and for errors.
    :param fileloc: the Python file in which Airflow finds the DAG again.
    :raises SpecError: when Airflow refuses the DAG.
    """
    try:
        dag = _dag(spec, source)
        dag.fileloc = fileloc
        dag.validate()
    except Exception as exc:
        reason = spec.redact(str(exc)) or type(exc).__name__
        raise SpecError(source, [Problem("$", f"Airflow refuses this flow: {reason}")]) from exc
    return dag


def _dag(spec: WorkflowSpec, source: str) -> DAG:
    dag = DAG(
        spec.dag_id,
        dag_display_name=one_line(spec.flow.name),
        schedule=schedule_of(spec),
        start_date=START_DATE,
        catchup=False,
        is_paused_upon_creation=False,
        description=_description(spec),
        tags=_tags(spec),
        doc_md=markdown(spec.flow.description, _origin(spec, source), _page(spec), *_notices(spec)),
    )
    add_tasks(spec, dag)
    # Given to DAG(), the params would be copied into every task, here and in the serialized DAG.
    dag.params.update(params_of(spec))
    return dag


def _description(spec: WorkflowSpec) -> str | None:
    """Return the first line of the flow's description, and its version, by which the SDK knows it."""
    if spec.compiled is not None:
        return None
    first = next(filter(None, map(str.strip, spec.flow.description.splitlines())), "")
    return " - ".join(filter(None, [one_line(first), _version(spec)]))


def _tags(spec: WorkflowSpec) -> list[str]:
    # Readers of the original look for the version among the tags.
    version = [str(spec.version.id)] if spec.compiled is not None else []
    return list(dict.fromkeys(["aqueduct", *version, *map(one_line, spec.flow.tags)]))


def _version(spec: WorkflowSpec) -> str:
    return version_label(str(spec.version.id), spec.version.number)


def _origin(spec: WorkflowSpec, source: str) -> str:
    created = spec.version.created_at
    published = f", published {created:%Y-%m-%d %H:%M:%S %Z}" if created else ""
    if published and (owner := one_line(spec.flow.owner)):
        published += f" by {code_span(owner)}"
    version = _version(spec) if spec.compiled is None else f"`{spec.version.id}`"
    return f"Version {version.removeprefix('version ')}{published}, from {code_span(source)}."


def _page(spec: WorkflowSpec) -> str:
    return f"[Runs, metrics and artifacts]({page_path(spec.dag_id)})" if has_pages() else ""


def _notices(spec: WorkflowSpec) -> list[str]:
    notices = spec.compiled.notices if spec.compiled else ()
    return [f"**Warning**: {one_line(notice.message, 1000)}." for notice in notices]
