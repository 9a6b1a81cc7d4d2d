"""Describe how a SQL dialect writes names, strings, comments, parameters and types of columns (pure).

The dialects themselves are part of each system's declaration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aqueduct_provider.errors import StatementRefused

# A part of a name that is given as a value: nothing that could end a quoted name, or hide in one.
_NAME = re.compile(r"\w(?:[\w$ -]*[\w$-])?")

# Kind of column (``tables/arrow_types.py``) -> type in CREATE TABLE, as standard SQL has it.
COMMON_TYPES = {
    "bool": "BOOLEAN",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float32": "REAL",
    "float64": "DOUBLE PRECISION",
    "decimal": "DECIMAL({precision}, {scale})",
    "text": "TEXT",
    "json": "TEXT",
    "uuid": "CHAR(36)",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
}


@dataclass(frozen=True)
class DecimalColumn:
    """A column for decimals.

    :param sql: its type.
    :param fits: whether it keeps all digits.
    :param is_text: whether the decimals are written as strings.
    """

    sql: str
    fits: bool
    is_text: bool = False


@dataclass(frozen=True)
class Dialect:
    """The spelling of one dialect.

    :param quotes: what stands before and after a quoted name.
    :param string_quotes: the characters that may quote a string.
    :param backslashes: whether a backslash in a text escapes the next character.
    :param dollar_quotes: whether ``$tag$ ... $tag$`` is a text.
    :param hash_comments: whether ``#`` begins a comment.
    :param spaced_dashes: whether ``--`` begins one only before a space.
    :param nested_comments: whether block comments nest.
    :param placeholder: how the driver wants parameters written; ``{n}`` is the number, from 1.
    :param concat: whether strings are joined by the operator ``||`` or by the function ``CONCAT``.
    :param strict_types: whether the database compares no number with a text, so that a bare parameter that
        reads as a number is bound as one.
    :param max_name: characters of a name, at most.
    :param types: kind of column -> its type in CREATE TABLE; empty: tables are not written.
    :param decimal_digits: most digits of a decimal: before and after the point together, and after it.
    :param has_arrays: whether a column can hold a list, such as ``BIGINT[]``.
    :param has_temporal: whether dates and times have types of their own; otherwise they are strings.
    :param has_zones: whether a time can have a zone; otherwise it is written in UTC.
    :param has_nan: whether floats can be NaN or infinite; otherwise these become NULL.
    """

    name: str
    quotes: tuple[str, str] = ('"', '"')
    string_quotes: str = "'"
    backslashes: bool = False
    dollar_quotes: bool = False
    hash_comments: bool = False
    spaced_dashes: bool = False
    nested_comments: bool = False
    placeholder: str = "?"
    concat: Literal["||", "CONCAT"] = "||"
    strict_types: bool = False
    max_name: int = 128
    types: Mapping[str, str] = field(default_factory=dict, hash=False)
    decimal_digits: tuple[int, int] = (38, 38)
    has_arrays: bool = False
    has_temporal: bool = True
    has_zones: bool = True
    has_nan: bool = True

    def decimal_column(self, precision: int, scale: int) -> DecimalColumn:
        """Return the column for decimals of this many digits, in all and after the point."""
        most, most_scale = self.decimal_digits
        sql = self.types["decimal"].format(precision=precision, scale=scale)
        return DecimalColumn(sql, fits=precision <= most and scale <= most_scale)

    def quote(self, name: str) -> str:
        """Return the quoted name, whatever characters it holds."""
        left, right = self.quotes
        return f"{left}{name.replace(right, right * 2)}{right}"

    def checked_name(self, value: str, what: str) -> tuple[str, ...]:
        """Split a name that was given as a value, such as ``schema.table``.

        Each part is made of letters, digits, ``_``, ``$``, ``-`` and inner spaces, and begins with a letter,
        a digit or ``_``.

        :param what: how the error calls the value.
        :raises StatementRefused: it is not a valid name.
        """
        parts = tuple(value.split("."))
        if not all(_NAME.fullmatch(part) and len(part) <= self.max_name for part in parts):
            raise StatementRefused(
                f"{what} is used as the name of a table or column, but is not a valid name: a name has up to "
                f"{self.max_name} letters, digits, _, $, - and inner spaces, with dots between its parts. "
                "Give such a name, or use the parameter where a value is allowed."
            )
        return parts

    def render_name(self, parts: tuple[str, ...]) -> str:
        """Return the parts of a name as SQL."""
        return ".".join(map(self.quote, parts))
