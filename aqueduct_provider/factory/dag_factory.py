"""``DagFactory``, the face of this room: what loader files in the DAG folder call."""

from __future__ import annotations

import sys
from pathlib import Path

from aqueduct_provider.compat import DAG
from aqueduct_provider.factory.dag import dag_of
from aqueduct_provider.factory.load_dags import dags_in
from aqueduct_provider.spec import loader
from aqueduct_provider.spec_sources.folder import SpecFolder
from aqueduct_provider.spec_sources.listing import SpecSource
from aqueduct_provider.storage.layout import DELIVERED_PREFIX, key_prefix


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
        """Return the DAG of one spec file.

        :param spec_path: a ``*.json`` file of either dialect.
        :raises SpecError: when the spec is wrong, or Airflow refuses the DAG.
        """
        path = Path(spec_path)
        return dag_of(loader.load(path), source=path.name, fileloc=_caller())

    @staticmethod
    def dags_in(folder: str | Path, connection_id: str = "") -> dict[str, DAG]:
        """Return the DAGs of all specs in a folder by DAG id; ``spec/spec_files.py`` defines what is a spec.

        A wrong spec never hides the others: a paused DAG in its place shows the error.

        :param folder: the folder, or a file in it: the loader passes its ``__file__``.
        :param connection_id: an Airflow connection of type ``aqueduct``: the specs in its store are shown
            too, see :meth:`dags_in_store`. Of a DAG id in both, the folder's spec is used.
        :raises ConfigError: the folder does not exist.
        """
        path = Path(folder)
        in_file = path.is_file()
        sources: list[SpecSource] = [SpecFolder(path.parent if in_file else path)]
        if connection_id:
            from aqueduct_provider.spec_sources.store import SpecStore

            sources.append(SpecStore(connection_id, DELIVERED_PREFIX))
        return dags_in(sources, str(path) if in_file else _caller())

    @staticmethod
    def dags_in_store(
        connection_id: str = "aqueduct_default", prefix: str = DELIVERED_PREFIX
    ) -> dict[str, DAG]:
        """Return the DAGs of all specs in the artifact store of an Airflow connection, by DAG id.

        The specs are objects ``<prefix><dag_id>.json``, where the SDK delivers them. Each parse looks for
        what has changed, with a request for every 1,000 specs, and keeps it below ``cache_dir``. When the
        store cannot be read, the flows are shown as they last were; when they never were, and also when
        the connection is missing or wrong, a paused DAG shows the error.

        :param connection_id: a connection of type ``aqueduct``.
        :param prefix: of the specs' keys, below the connection's root dir.
        """
        from aqueduct_provider.spec_sources.store import SpecStore

        return dags_in([SpecStore(connection_id, key_prefix(prefix))], _caller())


def _caller() -> str:
    return sys._getframe(2).f_code.co_filename
