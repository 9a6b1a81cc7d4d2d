"""A connection of PEP 249 that keeps what it is told, for databases that do not run here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Rows = Sequence[Sequence[Any]]


class Recorder:
    """A connection.

    :param answer: rows of a statement; it may raise an error instead.
    :param write: writes values into a statement, as the driver does.
    """

    def __init__(
        self,
        answer: Callable[[str], Rows] = lambda sql: [],
        write: Callable[[str, Any], str] = lambda sql, values: sql,
    ) -> None:
        self.answer = answer
        self.write = write
        self.said: list[str] = []

    def cursor(self) -> Cursor:
        return Cursor(self)

    def commit(self) -> None:
        self.said.append("COMMIT")

    def rollback(self) -> None:
        self.said.append("ROLLBACK")

    def close(self) -> None:
        self.said.append("CLOSE")


class Cursor:
    """A cursor of a recorder."""

    def __init__(self, connection: Recorder) -> None:
        self._connection = connection
        self._rows: list[Any] = []

    def execute(self, sql: str, values: Any = None) -> None:
        text = self._connection.write(sql, values) if values else sql
        self._connection.said.append(text)
        self._rows = list(self._connection.answer(text))

    def fetchmany(self, count: int) -> Rows:
        taken, self._rows = self._rows[:count], self._rows[count:]
        return taken

    def fetchall(self) -> Rows:
        return self._rows

    def close(self) -> None:
        """Nothing."""
