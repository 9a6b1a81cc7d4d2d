"""Relational databases: queries become table artifacts, and table artifacts are saved to tables.

In: SQL, table names and artifacts. Out: artifacts, computed here with the resource's own configuration unless
lazy; in runs an Airflow connection leads to the same database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.runner.codecs import Encoded
from aqueduct_provider.sdk.authoring import extract_load
from aqueduct_provider.sdk.authoring.kept_tables import kept_file, new_file
from aqueduct_provider.sdk.enums import LoadUpdateMode
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.resources.data_system import ConnectedSystem, mode_of, name_of
from aqueduct_provider.storage.held_folder import temporary_folder

if TYPE_CHECKING:
    import pandas
    from typing_extensions import Unpack

    from aqueduct_provider.connectors.requests import ExtractOrder
    from aqueduct_provider.sdk.authoring.artifacts import Artifact, TableArtifact
    from aqueduct_provider.sdk.keywords import RunOptions


@dataclass(frozen=True)
class RelationalDBExtractParams:
    """A query in the original's form: ``query``, or ``queries``, a chain.

    :param github_metadata: only None: queries are not read from GitHub.
    """

    query: str | None = None
    queries: Sequence[str] | None = None
    github_metadata: None = None


@suggest_keywords_of_methods
class SqlResource(ConnectedSystem):
    """A relational database; ``client.resource(name)`` gives it."""

    def list_tables(self) -> pandas.DataFrame:
        """Return the tables and views that can be seen, in a column ``tablename``."""
        # First, for it says what has to be installed.
        names = self.discover()
        import pandas

        return pandas.DataFrame({"tablename": names}, dtype="object")

    def table(self, name: str) -> pandas.DataFrame:
        """Return a whole table, read now: to look at. In a flow use :meth:`sql`.

        :param name: ``table`` or ``schema.table``.
        :raises DataSystemError: there is none, or it cannot be read.
        """
        from aqueduct_provider.sdk.authoring.execute import decoded

        table: pandas.DataFrame = decoded(
            self.read({"queries": ["SELECT * FROM $1"]}, [name_of("table", name)]), "pandas"
        )
        return table

    def sql(
        self,
        query: str | Sequence[str] | RelationalDBExtractParams,
        name: str | None = None,
        output: str | None = None,
        description: str = "",
        parameters: Iterable[Artifact | str] | None = None,
        lazy: bool = False,
        *,
        decimals: Literal["exact", "float"] = "exact",
        **how: Unpack[RunOptions],
    ) -> TableArtifact[pandas.DataFrame]:
        """Return the result of a query, as an artifact.

        :param query: SQL; or a list, a chain in which ``$`` stands for the query before. ``$1``, ``$2``, ...
            are the parameters, bound as values; ``{{ today }}``, ``{{ ds }}``, ``{{ data_interval_start }}``
            and ``{{ data_interval_end }}`` the dates of the run.
        :param name: of the operator; None: ``<resource> query``.
        :param output: name of the artifact.
        :param parameters: string artifacts; a plain text becomes the parameter ``<operator>:<number>``.
        :param lazy: only record it.
        :param decimals: ``"float"``: columns of decimals are floats, each the nearest one, in place of
            Python's ``Decimal``, which is exact and slow.
        :param how: ``retries``, ``retry_delay``, ``timeout``, ``pool``, ``fuse``: as in ``@op``.
        :raises AuthoringError: the query or a parameter cannot be used.
        :raises DataSystemError: the database cannot be reached, or refuses the query.

        ::

            reviews = warehouse.sql("SELECT * FROM hotel_reviews WHERE country = $1", parameters=[country])
        """
        from aqueduct_provider.sdk.authoring.artifact_sources import GraphSource
        from aqueduct_provider.sdk.authoring.artifacts import TableArtifact

        if decimals not in ("exact", "float"):
            raise AuthoringError(f'decimals is "exact" or "float", not {decimals!r}.')
        place = {**self.spec_place(), "queries": _queries(query)}
        if decimals != "exact":
            place["decimals"] = decimals
        labels = extract_load.Labels(name or f"{self.name()} query", output, description)
        node = extract_load.extract(self, place, "table", labels, parameters, lazy=lazy, how=how)
        return TableArtifact(GraphSource(node))

    def save(
        self,
        artifact: Artifact,
        table_name: str | Artifact,
        update_mode: LoadUpdateMode | str,
        **how: Unpack[RunOptions],
    ) -> None:
        """Save a table in every run of the flows that the artifact is in; nothing is written now.

        :param table_name: ``table`` or ``schema.table``; or a string artifact that names it.
        :param update_mode: what is done where the table exists: ``append``, ``replace`` or ``fail``.
        :param how: ``retries``, ``retry_delay``, ``timeout``, ``pool``, ``fuse``: as in ``@op``.
        :raises AuthoringError: it can only be read, or an argument cannot be used.
        """
        from aqueduct_provider.sdk.authoring.artifacts import Artifact

        if not self.service.is_written:
            raise AuthoringError(
                f"{self.name()!r} is {self.service.name}, which is only read: save elsewhere."
            )
        given = [table_name] if isinstance(table_name, Artifact) else []
        table = "" if given else name_of("table", table_name)
        place = {**self.spec_place(), "table": table, "update_mode": mode_of(update_mode)}
        extract_load.load(self, place, artifact, given, tables_only=True, how=how)

    def read(self, source: Mapping[str, Any], parameters: Sequence[str]) -> Encoded:
        """Read what an extract reads, encoded.

        :param source: of the spec.
        :param parameters: values of ``$1``, ``$2``, ...
        """
        from aqueduct_provider.connectors.requests import ExtractOrder

        queries = tuple(source["queries"])
        return read_here(
            ExtractOrder(
                self.system,
                "table",
                queries=queries,
                decimals=source.get("decimals", "exact"),
                parameters=tuple(parameters),
                dates=dates_of_now(),
            )
        )


def read_here(order: ExtractOrder) -> Encoded:
    """Do an order in this process; its file, as a value that is kept."""
    from aqueduct_provider.connectors import run

    with temporary_folder("extract") as folder:
        found = run.extract(order, folder)
        path = (folder / found.path).replace(new_file())
    kinds = found.artifact_type, found.serialization_type, found.python_type, found.schema
    return kept_file(Encoded(b"", *kinds), path)


def dates_of_now() -> dict[str, str]:
    """Return the dates in a query outside of runs: those of this moment, in UTC."""
    from aqueduct_provider.connectors.sql.query_dates import query_dates

    now = datetime.now(timezone.utc)
    return query_dates(today=now, day=now, start=now, end=now)


def _queries(query: Any) -> list[str]:
    if isinstance(query, RelationalDBExtractParams):
        if query.github_metadata is not None or (query.query is None) == (query.queries is None):
            raise AuthoringError("RelationalDBExtractParams must have query or queries, and nothing else.")
        query = query.query if query.queries is None else query.queries
    queries = [query] if isinstance(query, str) else query
    fits = isinstance(queries, list | tuple) and queries
    if not fits or not all(isinstance(one, str) and one.strip() for one in queries):
        raise AuthoringError("query must be SQL, or a list of SQL that is not empty.")
    return list(queries)
