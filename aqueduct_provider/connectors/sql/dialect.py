"""How each SQL dialect writes names, texts, comments and parameters (pure).

What differs in reading and writing data stands in the module of each data system.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aqueduct_provider.errors import StatementRefused

# A part of a name that is given as a value: nothing that could end a quoted name, or hide in one.
_NAME = re.compile(r"\w(?:[\w$ -]*[\w$-])?")


@dataclass(frozen=True)
class Dialect:
    """The spelling of one dialect.

    :param quotes: what stands before and after a quoted name.
    :param texts: the characters that texts may stand in.
    :param backslashes: whether a backslash in a text escapes the next character.
    :param dollar_quotes: whether ``$tag$ ... $tag$`` is a text.
    :param hash_comments: whether ``#`` begins a comment.
    :param spaced_dashes: whether ``--`` begins one only before a space.
    :param nested_comments: whether block comments nest.
    :param placeholder: how the driver wants parameters written; ``{n}`` is the number, from 1.
    :param concat: whether texts are joined by the operator ``||`` or by the function ``CONCAT``.
    :param strict_types: whether the database compares no number with a text, so that a bare parameter that
        reads as a number is bound as one.
    :param max_name: characters of a name, at most.
    """

    name: str
    quotes: tuple[str, str] = ('"', '"')
    texts: str = "'"
    backslashes: bool = False
    dollar_quotes: bool = False
    hash_comments: bool = False
    spaced_dashes: bool = False
    nested_comments: bool = False
    placeholder: str = "?"
    concat: Literal["||", "CONCAT"] = "||"
    strict_types: bool = False
    max_name: int = 128

    def quote(self, name: str) -> str:
        """The name, quoted: whatever it holds is part of it."""
        left, right = self.quotes
        return f"{left}{name.replace(right, right * 2)}{right}"

    def checked_name(self, value: str, what: str) -> tuple[str, ...]:
        """The parts of a name that was given as a value, such as ``schema.table``.

        Each part is made of letters, digits, ``_``, ``$``, ``-`` and inner spaces, and begins with a letter,
        a digit or ``_``.

        :param what: how the error calls the value.
        :raises StatementRefused: it is no such name.
        """
        parts = tuple(value.split("."))
        if not all(_NAME.fullmatch(part) and len(part) <= self.max_name for part in parts):
            raise StatementRefused(
                f"{what} stands where a table or a column is named, and is no such name: a name has up to "
                f"{self.max_name} letters, digits, _, $, - and inner spaces, with dots between its parts. "
                "Give such a name, or move the parameter to where a value may stand."
            )
        return parts

    def render_name(self, parts: tuple[str, ...]) -> str:
        """The parts of a name as SQL."""
        return ".".join(map(self.quote, parts))


POSTGRES = Dialect("Postgres", dollar_quotes=True, nested_comments=True, placeholder="${n}", max_name=63)
# As the server has the places of values: Amazon's driver would misread texts with backslashes.
REDSHIFT = Dialect(
    "Redshift", dollar_quotes=True, nested_comments=True, backslashes=True, placeholder="${n}", max_name=127
)
MYSQL = Dialect(
    "MySQL",
    quotes=("`", "`"),
    texts="'\"",
    backslashes=True,
    hash_comments=True,
    spaced_dashes=True,
    placeholder="%s",
    concat="CONCAT",
    max_name=64,
)
# Bound as text, a number would never be equal to an expression, which has no affinity.
SQLITE = Dialect("SQLite", strict_types=True)
# As sp_executesql names values.
SQL_SERVER = Dialect(
    "SQL Server", quotes=("[", "]"), nested_comments=True, placeholder="@p{n}", concat="CONCAT"
)
SNOWFLAKE = Dialect("Snowflake", backslashes=True, dollar_quotes=True, max_name=255)
BIGQUERY = Dialect(
    "BigQuery",
    quotes=("`", "`"),
    texts="'\"",
    backslashes=True,
    hash_comments=True,
    concat="CONCAT",
    strict_types=True,
    max_name=1024,
)
ATHENA = Dialect("Athena", strict_types=True, max_name=255)
