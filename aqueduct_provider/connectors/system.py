"""Declare a data system: all that is known of it, in one place.

A system is a folder of ``connectors/``, or a package of another project, with two modules: ``system.py``
holds the declarations, as ``SYSTEMS``, and ``database.py`` opens a connection with ``connect(name, config)``.
Declarations import the standard library, this module and ``sql/dialect.py``, nothing else: every room reads
them, when specs are parsed too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import SplitResult, parse_qsl, unquote

from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.uris import table_on_server
from aqueduct_provider.errors import ConfigError

if TYPE_CHECKING:
    from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder
    from aqueduct_provider.connectors.tables.model import TableLoad
    from aqueduct_provider.runner.contract import OutputInfo

Config = dict[str, Any]
Family = Literal["airflow", "sql", "files", "mongodb"]

DISTRIBUTION = "airflow-provider-aqueduct"
TABLE_MODULES = ("pandas", "pyarrow")
SERVER_FIELDS = ("host", "database", "username")

REMOVE = "remove it, for it is for other users of the connection"
SET_HERE = "remove it, for the connector sets it itself"
NO_CURSOR = {"cursor": f"{REMOVE}: rows are always read in batches"}
NO_IAM = "give a password, for tokens of IAM are not fetched"


def is_empty(value: Any) -> bool:
    """Check whether the value of an option asks for nothing: forms save what was left empty."""
    return value is None or value == "" or value == {} or value == []


def option_text(value: Any) -> str:
    """Return the value of an option as text: JSON, unless it is text already."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class OptionRules:
    """The options that a connection may hold beyond login, host and database.

    :param known: those that are used or passed to the driver; None: all but the refused ones are passed, and
        the driver or its connector refuses those that it does not know.
    :param refused: those that cannot be used -> what to do instead. Values that ask for nothing are let pass.
    :param fields: extras of an Airflow connection that are fields of the configuration -> the field.
    :param prefix: what the names of extras begin with where an old Airflow has saved them.
    """

    known: frozenset[str] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""


class AirflowConnection(Protocol):
    """The fields of an Airflow connection."""

    conn_id: str
    login: str | None
    password: str | None
    host: str | None
    schema: str | None
    port: int | None


@dataclass(frozen=True)
class Extra:
    """The extra of an Airflow connection.

    :param plain: all of it, by Airflow's names without their old prefix; nothing empty.
    :param fields: those that are fields of the configuration, by our names; nothing empty.
    :param options: those that are used or passed on, as text.
    """

    plain: Config
    fields: Config
    options: dict[str, str]

    @property
    def option_field(self) -> Config:
        """Return the options as a configuration field; empty if no option is given."""
        return {"options": self.options} if self.options else {}


# No comparison, no repr: making these methods would take longer than all declarations.
@dataclass(frozen=True, eq=False, repr=False)
class DataSystem:
    """A data system: a database server, or a store of files.

    :param name: as specs and configuration files spell it.
    :param package: that holds ``database.py``; empty: the system has no connection of its own.
    :param aliases: other names that users may type; case, spaces and signs do not count.
    :param family: which class of the SDK represents it.
    :param needed: fields without which the SDK cannot reach it.
    :param optional: its other fields, without secrets.
    :param paths: fields that are paths of files where the system is used; they begin with / or ~.
    :param secrets: fields that are kept in the keyring.
    :param schemes: beginnings of URLs that lead to it.
    :param connection_types: types of Airflow connections that lead to it.
    :param needed_of_connection: fields that an Airflow connection must give.
    :param options: what else a connection may hold.
    :param extra: extra of :data:`distribution` that installs the drivers.
    :param distribution: package that is installed for the drivers.
    :param drivers: modules that must be importable.
    :param below: distribution of a driver -> the first version that does not work.
    :param dialect: of its SQL; None: it has none.
    :param is_written: False: it is only read.
    :param original_config: which configuration the original had for it (``spec/compiled_connectors.py``);
        empty: the original did not know it.
    """

    name: str
    package: str = ""
    aliases: tuple[str, ...] = ()
    family: Family = "sql"
    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ("options", "connection_id")
    paths: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ("password",)
    schemes: tuple[str, ...] = ()
    connection_types: tuple[str, ...] = ()
    needed_of_connection: tuple[str, ...] = ()
    options: OptionRules = OptionRules()
    extra: str = ""
    distribution: str = DISTRIBUTION
    drivers: tuple[str, ...] = ()
    below: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect | None = None
    is_written: bool = True
    original_config: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields by which the SDK reaches it."""
        url = ("url",) if self.schemes else ()
        return tuple(dict.fromkeys((*self.needed, *self.optional, *self.secrets, *url)))

    # --- how a connection becomes a configuration

    def config_of_connection(self, connection: AirflowConnection, extra: Extra) -> Config:  # noqa: ARG002
        """Return the configuration that an Airflow connection describes.

        :raises ConfigError: the system is not reached by an Airflow connection.
        """
        raise ConfigError(
            f"The connection {connection.conn_id!r} cannot be used: {self.name} is not reached by an Airflow "
            "connection, for its package does not declare config_of_connection. Use another system."
        )

    def url_scheme(self, parts: SplitResult) -> str:
        """Return the scheme of a URL; a driver in it, as in ``postgresql+psycopg2``, has no meaning here."""
        return parts.scheme.partition("+")[0]

    def config_of_url(self, url: str, parts: SplitResult) -> Mapping[str, str]:  # noqa: ARG002
        """Return the fields that a URL gives, as text; ``options`` is a query string such as ``a=1&b=2``."""
        return {
            "host": parts.hostname or "",
            "database": unquote(parts.path.removeprefix("/")),
            **login_of_url(parts),
            "options": parts.query,
        }

    def config_of_original(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a configuration of the original with the names of fields that are used here."""
        return config

    def config_for_original(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the configuration with which tables are read that are stored as the original's JSON."""
        return config

    def table_uri(self, config: Mapping[str, Any], table: str) -> str | None:  # noqa: ARG002
        """Return the URI of a table as an asset of Airflow, in the form of Airflow's providers.

        :param table: ``table`` or ``schema.table``.
        :returns: None where the configuration does not say where the table is.
        """
        return None

    # --- reading and writing

    def connect(self, config: Mapping[str, Any]) -> Any:
        """Open a connection.

        :raises DataSystemError: it cannot be reached, or refuses the user.
        """
        return import_module(f"{self.package}.database").connect(self.name, config)

    def table_parts(self, target: str) -> tuple[str, ...]:
        """Return the parts of the name of a table that is to be written.

        :raises StatementRefused: it is not a valid name.
        """
        if self.dialect is None:
            return (target,)
        return self.dialect.checked_name(target, f"The table {target!r}")

    def extract(self, database: Any, request: ExtractOrder, folder: Path) -> OutputInfo:
        """Read a table into a file; return what its metadata says.

        :param database: what :meth:`connect` gave.
        """
        from aqueduct_provider.connectors.sql.transfer import extract_table

        return extract_table(database, request, folder)

    def load(self, database: Any, request: LoadOrder, target: TableLoad, folder: Path) -> int | None:
        """Write a stored table.

        :param database: what :meth:`connect` gave.
        :returns: the number of rows; None when an earlier try of this load has written them.
        """
        from aqueduct_provider.connectors.sql.transfer import load_table

        return load_table(database, request, target, folder)


@dataclass(frozen=True, eq=False, repr=False)
class DatabaseServer(DataSystem):
    """A server with host, port, login and database; all that the extra holds goes to the driver.

    :param uri: scheme, default port and default schema of the URIs of its tables. Where the schema is empty,
        a schema is a database.
    """

    needed: tuple[str, ...] = SERVER_FIELDS
    optional: tuple[str, ...] = ("port", "options", "connection_id")
    needed_of_connection: tuple[str, ...] = ("host", "database")
    original_config: str = "server"
    uri: tuple[str, int, str] = ("", 0, "")

    def config_of_connection(self, connection: AirflowConnection, extra: Extra) -> Config:
        config: Config = {
            **login_of_connection(connection),
            "host": connection.host or "",
            "database": extra.fields.get("database") or connection.schema or "",
            "options": extra.options,
        }
        return {**config, "port": str(connection.port)} if connection.port else config

    def table_uri(self, config: Mapping[str, Any], table: str) -> str | None:
        return table_on_server(config, table, *self.uri)


def login_of_connection(connection: AirflowConnection) -> Config:
    """Return user name and password of an Airflow connection."""
    return {"username": connection.login or "", "password": connection.password or ""}


def login_of_url(parts: SplitResult) -> dict[str, str]:
    """Return user name and password of a URL."""
    return {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}


def url_options(text: str) -> dict[str, str]:
    """Return the options that a query string holds."""
    return dict(parse_qsl(text, keep_blank_values=True))
