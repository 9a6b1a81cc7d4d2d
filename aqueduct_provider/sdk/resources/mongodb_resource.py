"""MongoDB: what ``find`` finds becomes a table artifact, and table artifacts are saved to collections."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.runner.codecs import Encoded
from aqueduct_provider.sdk.authoring import extract_load
from aqueduct_provider.sdk.enums import LoadUpdateMode
from aqueduct_provider.sdk.keywords import RunOptions, suggest_keywords_of_methods
from aqueduct_provider.sdk.resources.data_system import ConnectedSystem, mode_of, name_of

if TYPE_CHECKING:
    import pandas
    from typing_extensions import Unpack

    from aqueduct_provider.sdk.authoring.artifacts import Artifact, TableArtifact


@suggest_keywords_of_methods
class MongoResource(ConnectedSystem):
    """A MongoDB database; ``client.resource(name)`` gives it."""

    @property
    def place(self) -> str:
        """Its database; the host is part of its URI, which holds the password."""
        return self._fields["database"]

    def collection(self, name: str) -> MongoCollection:
        """Return a collection, to find documents in."""
        return MongoCollection(self, name_of("collection", name))

    def save(
        self,
        artifact: Artifact,
        collection: str | Artifact,
        update_mode: LoadUpdateMode | str,
        **how: Unpack[RunOptions],
    ) -> None:
        """Save a table in every run of the flows that the artifact is in; nothing is written now.

        :param collection: its name, or a string artifact that names it.
        :param update_mode: what is done where the collection exists: ``append``, ``replace`` or ``fail``.
        :param how: ``retries``, ``retry_delay``, ``timeout``, ``pool``, ``fuse``: as in ``@op``.
        :raises AuthoringError: an argument cannot be used.
        """
        from aqueduct_provider.sdk.authoring.artifacts import Artifact

        given = [collection] if isinstance(collection, Artifact) else []
        name = "" if given else name_of("collection", collection)
        place = {**self.spec_place(), "collection": name, "update_mode": mode_of(update_mode)}
        extract_load.load(self, place, artifact, given, tables_only=True, how=how)

    def read(self, source: Mapping[str, Any], parameters: Sequence[str]) -> Encoded:
        """Read what an extract reads, encoded.

        :param source: of the spec.
        :param parameters: values of ``$1``, ``$2``, ...
        """
        from aqueduct_provider.connectors.requests import ExtractOrder
        from aqueduct_provider.sdk.resources.sql_resource import read_here

        return read_here(
            ExtractOrder(
                self.system,
                "table",
                collection=source["collection"],
                find=source["query"],
                parameters=tuple(parameters),
            )
        )


@suggest_keywords_of_methods
class MongoCollection:
    """A collection of a MongoDB."""

    def __init__(self, resource: MongoResource, name: str) -> None:
        self._resource = resource
        self._name = name

    def __repr__(self) -> str:
        return f"MongoCollection({self._resource.name()!r}, {self._name!r})"

    def name(self) -> str:
        """Return the collection's name."""
        return self._name

    def find(
        self,
        *args: Any,
        name: str | None = None,
        output: str | None = None,
        description: str = "",
        parameters: Iterable[Artifact | str] | None = None,
        lazy: bool = False,
        **kwargs: Any,
    ) -> TableArtifact[pandas.DataFrame]:
        """Return the documents that are found, as a table artifact.

        :param args: those of pymongo's ``find``: the filter, the projection. In their strings ``$1``, ``$2``,
            ... are the parameters.
        :param kwargs: further ones of ``find``, such as ``sort`` and ``limit``; and ``retries``,
            ``retry_delay``, ``timeout``, ``pool``, ``fuse``, as in ``@op``.
        :param name: of the operator; None: ``<resource> query``.
        :param output: name of the artifact.
        :param parameters: string artifacts; a plain text becomes the parameter ``<operator>:<number>``.
        :param lazy: only record it.
        :raises AuthoringError: an argument cannot be used.
        :raises DataSystemError: the database cannot be reached, or refuses the query.

        ::

            mongo.collection("orders").find({"country": "$1"}, {"_id": 0}, parameters=[country], limit=100)
        """
        from aqueduct_provider.sdk.authoring.artifact_sources import GraphSource
        from aqueduct_provider.sdk.authoring.artifacts import TableArtifact

        # pymongo's find has no arguments of these names.
        how = {name: kwargs.pop(name) for name in RunOptions.__annotations__ if name in kwargs}
        query = _plain({"args": list(args), "kwargs": kwargs})
        place = {**self._resource.spec_place(), "collection": self._name, "query": query}
        labels = extract_load.Labels(name or f"{self._resource.name()} query", output, description)
        node = extract_load.extract(
            self._resource, place, "table", labels, parameters, lazy=lazy, how=cast(RunOptions, how)
        )
        return TableArtifact(GraphSource(node))

    def save(self, artifact: Artifact, update_mode: LoadUpdateMode | str, **how: Unpack[RunOptions]) -> None:
        """Save a table to this collection, as :meth:`MongoResource.save`."""
        self._resource.save(artifact, self._name, update_mode, **how)


def _plain(query: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments as JSON; values that JSON lacks, such as dates and ObjectIds, as extended JSON."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(query))
        return plain
    except (TypeError, ValueError):
        pass
    try:
        from bson import json_util

        extended: dict[str, Any] = json.loads(json_util.dumps(query))
        return extended
    except (TypeError, ValueError, ImportError) as error:
        raise AuthoringError(
            "An argument of find cannot be written down as JSON. Give plain values, dates or ObjectIds "
            '(which need pymongo: pip install "airflow-provider-aqueduct[mongodb]").'
        ) from error
