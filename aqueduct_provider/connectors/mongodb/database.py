"""MongoDB, through pymongo, MongoDB's own driver: documents as they are, not tables.

In: the connector's configuration, ``auth_uri`` and ``database``. Out: the documents that a query finds,
streamed in the driver's batches, and loads, which ``load.py`` makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aqueduct_provider.connectors.mongodb.errors import translated
from aqueduct_provider.connectors.mongodb.files import stored_documents, write_bson_table
from aqueduct_provider.connectors.mongodb.load import write
from aqueduct_provider.connectors.mongodb.query import arguments
from aqueduct_provider.connectors.tables.model import Config, TableLoad, config_text
from aqueduct_provider.errors import ConfigError, StatementRefused

__all__ = ["MongoDatabase", "connect", "stored_documents", "write_bson_table"]


def connect(connector: str, config: Config) -> MongoDatabase:
    """Open a connection.

    :param connector: ``MongoDB``.
    :raises ConfigError: the URI is none, or no database is named.
    :raises DataSystemError: it cannot be reached, or refuses the user.
    """
    import pymongo

    uri = config_text(config, "auth_uri")
    if not uri:
        raise ConfigError(f"The {connector} connector has 1 problem: auth_uri is missing.")
    _refuse_unknown(connector, uri)
    try:
        client: Any = pymongo.MongoClient(uri, **config.get("options", {}))
    except (pymongo.errors.PyMongoError, ValueError, TypeError) as error:
        # Not `from error`: the driver quotes parts of the URI, and so of a password that is not escaped.
        raise ConfigError(
            f"{connector}'s auth_uri or options cannot be used ({type(error).__name__}). A URI looks like "
            "mongodb://user:password@host:27017/?authSource=admin, with user and password percent-encoded."
        ) from None
    try:
        return _connected(client, connector, config_text(config, "database"))
    except BaseException:
        client.close()
        raise


def _refuse_unknown(connector: str, uri: str) -> None:
    """Raise ``ConfigError`` for an option of the URI of which a client only warns."""
    from pymongo.errors import ConfigurationError
    from pymongo.uri_parser import split_options

    for option in filter(None, uri.partition("?")[2].split("&")):
        try:
            split_options(option, validate=True, warn=False)
        except (ConfigurationError, ValueError, TypeError) as error:
            name = option.partition("=")[0]
            if str(error).startswith("Unknown option"):
                raise ConfigError(
                    f"{connector}: the option {name} of the URI is unknown. Correct or remove it."
                ) from None


def _connected(client: Any, connector: str, database: str) -> MongoDatabase:
    from pymongo.errors import ConfigurationError, InvalidName

    try:
        opened = client[database] if database else client.get_default_database()
    except (ConfigurationError, InvalidName) as error:
        raise ConfigError(f"{connector}: database is missing, or no name of one: {error}.") from error
    what = f"{connector} {opened.name!r}"
    with translated(what, StatementRefused):
        client.admin.command("ping")
    return MongoDatabase(client, opened, what)


class MongoDatabase:
    """A database of a server or cluster.

    :param what: what error messages call it.
    """

    def __init__(self, client: Any, database: Any, what: str) -> None:
        self._client = client
        self._database = database
        self._what = what

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def check(self) -> str:
        """Ask the server what it is; a few words that say who answered."""
        with translated(self._what, StatementRefused):
            version = self._client.server_info()["version"]
            self._database.list_collection_names(authorizedCollections=True)
        return f"{self._what} answers: MongoDB {version}."

    def tables(self) -> list[str]:
        """Return the collections and views that the user may see, in order."""
        with translated(self._what, StatementRefused):
            names = self._database.list_collection_names(authorizedCollections=True)
        return sorted(name for name in names if not name.startswith("system."))

    def find(
        self, collection: str, find: Mapping[str, Any], parameters: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """Return the documents that a query finds.

        :param find: the arguments of pymongo's ``find``, as JSON values: ``args`` and ``kwargs``.
        :param parameters: values of ``$1``, ``$2``, ...
        :raises StatementRefused: the collection does not exist, or ``find`` is not a valid query; some errors
            appear only while reading.
        """
        args, kwargs = arguments(find, parameters)
        with translated(self._what, StatementRefused):
            self._see(collection)
            try:
                cursor = self._database[collection].find(*args, **kwargs)
            except (TypeError, ValueError) as error:
                raise StatementRefused(
                    f"{self._what}: find takes no such arguments: {error}. They are those of pymongo's find."
                ) from error
        return self._documents(cursor)

    def write(self, rows: Iterator[dict[str, Any]], load: TableLoad) -> int | None:
        """Write documents into a collection; see ``load.py``.

        :returns: their number; None when an earlier try has written them.
        """
        return write(self._database, self._what, rows, load)

    def _see(self, collection: str) -> None:
        """Refuse a collection that does not exist: MongoDB would return no documents for a mistyped name."""
        name = {"name": collection}
        if not self._database.list_collection_names(filter=name, authorizedCollections=True):
            raise StatementRefused(
                f"{self._what} has no collection {collection!r} that this user may read. Correct its name."
            )

    def _documents(self, cursor: Any) -> Iterator[dict[str, Any]]:
        with translated(self._what, StatementRefused), cursor:
            yield from cursor
