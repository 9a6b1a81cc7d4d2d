"""Stage 2, ``WorkflowSpec`` -> Airflow DAG.

In: a spec. Out: a DAG with one task for each operator, the same for the same spec in every process, since
Airflow 3 makes a new version of a DAG whenever its serialized form changes. Secrets of a spec stay in
attributes that Airflow does not serialize.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import DAG, Asset, BaseOperator

from aqueduct_provider.compat import CronTriggerTimetable
from aqueduct_provider.errors import Problem, SpecError
from aqueduct_provider.factory.docs import code_span, markdown, one_line
from aqueduct_provider.factory.params import params_of
from aqueduct_provider.operators.aqueduct import AqueductOperator
from aqueduct_provider.spec import loader
from aqueduct_provider.spec.graph import upstream
from aqueduct_provider.spec.models import CronSchedule, Operator, WorkflowSpec
from aqueduct_provider.storage.layout import DELIVERED_PREFIX

START_DATE = datetime(2022, 1, 1, 1, tzinfo=timezone.utc)

# The operator ends its child at its own timeout and reports that well. Airflow's limit stands behind it,
# far enough that fetching inputs and a cold build of the environment never run into it.
TIMEOUT_MARGIN = timedelta(minutes=15)


class DagFactory:
    """Makes Airflow DAGs of Aqueduct specs.

    The loader file that shows every spec of its folder in Airflow::

        from aqueduct_provider import DagFactory  # airflow dag

        globals().update(DagFactory.dags_in(__file__))

    With ``dags_in(__file__, connection_id="aqueduct_default")`` it also shows those in the store of that
    connection.
    """

    @staticmethod
    def dag_from(spec_path: str | Path) -> DAG:
        """The DAG of one spec file.

        :param spec_path: a ``*.json`` file of either dialect.
        :raises SpecError: when the spec is wrong, or Airflow refuses the DAG.
        """
        path = Path(spec_path)
        return dag_of(loader.load(path), source=path.name, fileloc=_caller())

    @staticmethod
    def dags_in(folder: str | Path, connection_id: str = "") -> dict[str, DAG]:
        """The DAGs of all specs in a folder, by DAG id; ``discovery`` says what counts as a spec.

        A wrong spec never hides the others: a paused DAG in its place shows the error.

        :param folder: the folder, or a file in it: the loader passes its ``__file__``.
        :param connection_id: an Airflow connection of type ``aqueduct``: the specs in its store are shown
            too, see :meth:`dags_in_store`. Of a DAG id in both, the folder's spec is used.
        :raises ConfigError: when there is no such folder.
        """
        from aqueduct_provider.factory.discovery import dags_in
        from aqueduct_provider.factory.places import Folder, Source

        path = Path(folder)
        in_file = path.is_file()
        sources: list[Source] = [Folder(path.parent if in_file else path)]
        if connection_id:
            from aqueduct_provider.factory.delivered import Delivered

            sources.append(Delivered(connection_id, DELIVERED_PREFIX))
        return dags_in(sources, str(path) if in_file else _caller())

    @staticmethod
    def dags_in_store(
        connection_id: str = "aqueduct_default", prefix: str = DELIVERED_PREFIX
    ) -> dict[str, DAG]:
        """The DAGs of all specs in the artifact store of an Airflow connection, by DAG id.

        The specs are objects ``<prefix><dag_id>.json``, where the SDK delivers them. Each parse looks for
        what has changed, with a request for every 1,000 specs, and keeps it below ``cache_dir``. When the
        store cannot be read, the flows are shown as they last were; when they never were, and also when
        the connection is missing or wrong, a paused DAG shows the error.

        :param connection_id: a connection of type ``aqueduct``.
        :param prefix: of the specs' keys, below the connection's root dir.
        """
        from aqueduct_provider.factory.delivered import Delivered
        from aqueduct_provider.factory.discovery import dags_in

        return dags_in([Delivered(connection_id, prefix.rstrip("/") + "/" if prefix else "")], _caller())


def dag_of(spec: WorkflowSpec, *, source: str, fileloc: str) -> DAG:
    """The DAG of a spec.

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


def _caller() -> str:
    return sys._getframe(2).f_code.co_filename


def _dag(spec: WorkflowSpec, source: str) -> DAG:
    dag = DAG(
        spec.dag_id,
        dag_display_name=one_line(spec.flow.name),
        schedule=_schedule(spec),
        start_date=START_DATE,
        catchup=False,
        is_paused_upon_creation=False,
        tags=list(dict.fromkeys(["aqueduct", str(spec.version.id), *map(one_line, spec.flow.tags)])),
        doc_md=markdown(spec.flow.description, _origin(spec, source)),
    )
    tasks = {operator.task_id: _task(spec, operator, dag) for operator in spec.operators}
    for task_id, before in upstream(spec).items():
        if before:
            tasks[task_id].set_upstream([tasks[other] for other in before])
    _announce_success(spec, dag, tasks)
    # Given to DAG(), the params would be copied into every task, here and in the serialized DAG.
    dag.params.update(params_of(spec))
    return dag


def _origin(spec: WorkflowSpec, source: str) -> str:
    created = spec.version.created_at
    published = f", published {created:%Y-%m-%d %H:%M:%S %Z}" if created else ""
    return f"Version `{spec.version.id}`{published}, from {code_span(source)}."


def _schedule(spec: WorkflowSpec) -> Any:
    if spec.schedule is None:
        return None
    if isinstance(spec.schedule, CronSchedule):
        # A run at each time of the expression. A bare cron string means data intervals on 2.11.
        return CronTriggerTimetable(spec.schedule.cron, timezone=spec.schedule.timezone)
    return [asset_of(flow) for flow in dict.fromkeys(spec.schedule.flows)]


def asset_of(flow_name: str) -> Asset:
    """The asset that a flow updates when it succeeds (a dataset on Airflow 2.11)."""
    return Asset(f"aqueduct://{quote(flow_name, safe='')}")


def _task(spec: WorkflowSpec, operator: Operator, dag: DAG) -> AqueductOperator:
    options: dict[str, Any] = {}
    if operator.retries:
        options["retry_delay"] = timedelta(seconds=operator.retry_delay)
    if operator.timeout is not None:
        options["execution_timeout"] = timedelta(seconds=operator.timeout) + TIMEOUT_MARGIN
    if operator.pool is not None:
        options["pool"] = operator.pool
    if operator.name != operator.task_id:
        options["task_display_name"] = one_line(operator.name)
    if operator.description:
        options["doc_md"] = markdown(operator.description)
    return AqueductOperator(
        task_id=operator.task_id,
        dag=dag,
        workflow=spec,
        operator=operator,
        retries=operator.retries,
        **options,
    )


class FlowSucceeded(BaseOperator):
    """Does nothing, after everything else has succeeded; its outlet is the flow's asset."""

    def execute(self, context: Any) -> None:
        """Nothing is left to do."""


def _announce_success(spec: WorkflowSpec, dag: DAG, tasks: dict[str, AqueductOperator]) -> None:
    asset = asset_of(spec.flow.name)
    leaves = [task for task in tasks.values() if not task.downstream_task_ids]
    if len(leaves) == 1:
        leaves[0].outlets = [asset]
        return
    task_id = "flow_succeeded"
    while task_id in tasks:
        task_id += "_"
    FlowSucceeded(task_id=task_id, dag=dag, retries=0, outlets=[asset]).set_upstream(leaves)
