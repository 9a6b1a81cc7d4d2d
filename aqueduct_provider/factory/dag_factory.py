"""Stage 2, ``WorkflowSpec`` -> Airflow DAG.

In: a spec. Out: a DAG with one task for each operator, the same for the same spec in every process, since
Airflow 3 makes a new version of a DAG whenever its serialized form changes. Secrets of a spec stay in
attributes that Airflow does not serialize.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path

from aqueduct_provider.compat import DAG
from aqueduct_provider.errors import Problem, SpecError
from aqueduct_provider.factory.dag_schedule import schedule_of
from aqueduct_provider.factory.docs import code_span, markdown, one_line
from aqueduct_provider.factory.params import params_of
from aqueduct_provider.factory.tasks import add_tasks
from aqueduct_provider.spec import loader
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.layout import DELIVERED_PREFIX

START_DATE = datetime(2022, 1, 1, 1, tzinfo=timezone.utc)


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
        from aqueduct_provider.factory.load_dags import dags_in
        from aqueduct_provider.spec_sources.folder import Folder
        from aqueduct_provider.spec_sources.listing import Source

        path = Path(folder)
        in_file = path.is_file()
        sources: list[Source] = [Folder(path.parent if in_file else path)]
        if connection_id:
            from aqueduct_provider.spec_sources.store import Delivered

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
        from aqueduct_provider.factory.load_dags import dags_in
        from aqueduct_provider.spec_sources.store import Delivered

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
        schedule=schedule_of(spec),
        start_date=START_DATE,
        catchup=False,
        is_paused_upon_creation=False,
        tags=list(dict.fromkeys(["aqueduct", str(spec.version.id), *map(one_line, spec.flow.tags)])),
        doc_md=markdown(spec.flow.description, _origin(spec, source), *_notices(spec)),
    )
    add_tasks(spec, dag)
    # Given to DAG(), the params would be copied into every task, here and in the serialized DAG.
    dag.params.update(params_of(spec))
    return dag


def _origin(spec: WorkflowSpec, source: str) -> str:
    created = spec.version.created_at
    published = f", published {created:%Y-%m-%d %H:%M:%S %Z}" if created else ""
    return f"Version `{spec.version.id}`{published}, from {code_span(source)}."


def _notices(spec: WorkflowSpec) -> list[str]:
    notices = spec.compiled.notices if spec.compiled else ()
    return [f"**Warning**: {one_line(notice.message, 1000)}." for notice in notices]
