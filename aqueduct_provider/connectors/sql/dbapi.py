"""Share what databases with a DB-API driver have in common: statements, transactions, error messages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, ClassVar

from aqueduct_provider.connectors.sql.database import shown_names
from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.errors import (
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    StatementRefused,
)


class DbApiDatabase(ABC):
    """An open connection; subclasses add reading and writing, and are a ``Database`` then.

    :param connection: the driver's.
    :param what: how errors call the database.
    """

    dialect: Dialect
    # A query for the version, and how :meth:`check` shows its first line.
    version_query: ClassVar[str]
    version_format: ClassVar[str] = "{}"
    # A query for schema, name, and whether the schema is the connection's own; in the order to show.
    tables_query: ClassVar[str]

    def __init__(self, connection: Any, what: str) -> None:
        self._connection = connection
        self._what = what

    def close(self) -> None:
        """End the connection; what was not finished is undone.

        It ends quietly: what the driver says then would hide what was wrong before.
        """
        with suppress(Exception):
            self._connection.close()

    def check(self) -> str:
        with self._transaction(StatementRefused):
            ((version,),) = self.rows(self.version_query)
        line = next(iter(str(version).splitlines()), "")
        return f"{self._what} answers: {self.version_format.format(line)}."

    def tables(self) -> list[str]:
        with self._transaction(StatementRefused):
            found = self.rows(self.tables_query)
        return shown_names((self._shown(schema), self._shown(name), own) for schema, name, own in found)

    def run(self, sql: str, *values: Any) -> None:
        """Run a statement. Raises the driver's errors."""
        with closing(self._connection.cursor()) as cursor:
            self._execute(cursor, sql, values)

    def rows(self, sql: str, *values: Any) -> Sequence[Sequence[Any]]:
        """Run a query and return all its rows. Raises the driver's errors."""
        with closing(self._connection.cursor()) as cursor:
            self._execute(cursor, sql, values)
            return list(cursor.fetchall())

    @abstractmethod
    def _execute(self, cursor: Any, sql: str, values: Sequence[Any]) -> None:
        """Run a statement whose places are written as the dialect's placeholders."""

    @staticmethod
    @abstractmethod
    def driver_errors() -> tuple[type[Exception], ...]:
        """Return the classes of the driver's errors."""

    @staticmethod
    @abstractmethod
    def judge(error: Any, refused: type[DataSystemError]) -> tuple[type[DataSystemError], str]:
        """Return the class of our error for one of the driver's, and its words, without a full stop.

        :param refused: the class where the database refuses the statement.
        """

    @classmethod
    @contextmanager
    def translate_errors(cls, what: str, refused: type[DataSystemError] = StatementRefused) -> Iterator[None]:
        """Translate the driver's errors.

        :param what: how errors call the database.
        :param refused: class of the error of a statement that the database refuses.
        """
        try:
            yield
        except cls.driver_errors() as error:
            kind, text = cls.judge(error, refused)
            if kind is DataSystemLoginFailed:
                raise kind(f"{what} refuses the login: {text}. Correct the connection.") from error
            if kind is DataSystemUnavailable:
                raise kind(f"{what} does not answer as it should: {text}.") from error
            raise kind(f"{what} refuses the statement: {text}.") from error

    def _shown(self, name: str) -> str:
        """Return a stored name as users write it."""
        return name

    @contextmanager
    def _transaction(self, refused: type[DataSystemError]) -> Iterator[None]:
        """Roll back everything that is not committed within, and translate errors."""
        with self.translate_errors(self._what, refused):
            try:
                yield
            finally:
                with suppress(Exception):
                    self._connection.rollback()
