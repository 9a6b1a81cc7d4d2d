"""Turn a query, or a chain of queries, into one statement with bound values (pure).

In: SQL with ``$1 $2 ...`` for the string inputs, ``$`` for the query before, ``{{ today }}`` and other dates
of the run (Aqueduct formats, section 6). Out: a :class:`Statement`, SQL with places for values. A value never
becomes SQL text:

- where a value may stand, it is bound: ``WHERE id = $1``;
- in a text literal, the literal becomes an expression of bound values: ``LIKE '%$1%'``;
- where only a name is allowed - in a quoted name, in a word such as ``sales_$1``, next to a dot, after FROM,
  JOIN, INTO, UPDATE, TABLE, GROUP BY and ORDER BY - the value must be a name, and is quoted;
- after LIMIT, OFFSET, TOP and FETCH it must be an integer.

A comma goes on with the list of its FROM, GROUP BY, ORDER BY or LIMIT. In comments, in dollar-quoted
strings and after a backslash that escapes, nothing is replaced. Dates come from us and are part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.sql.tokens import SILENT, Token, tokens
from aqueduct_provider.errors import StatementRefused

Value = str | int | float

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,15})?")
_INSIDE = re.compile(r"\$([0-9]+)|\{\{\s*(\w+)\s*\}\}")
_INSIDE_ESCAPED = re.compile(rf"{_INSIDE.pattern}|\\.", re.DOTALL)
_NAMES_FOLLOW = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "GROUP BY", "ORDER BY"})
_LISTS = frozenset({"FROM", "GROUP BY", "ORDER BY", "LIMIT"})
_LISTS_END = frozenset({"SELECT", "WHERE", "ON", "SET", "VALUES", "RETURNING"})
_COUNTS_FOLLOW = frozenset({"LIMIT", "OFFSET", "TOP", "FIRST", "NEXT"})
# Behind ``CAST(... AS INTERVAL)`` they would be the name of a column.
_UNITS = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})
# ``DATE '...'`` takes no parameter, CAST does. (MySQL's INTERVAL takes one.)
_TYPED_LITERALS = frozenset({"DATE", "TIMESTAMP", "TIME"})


@dataclass(frozen=True)
class Bound:
    """A place for a value.

    :param bare: it is not part of a text literal, and so may be meant as a number.
    """

    value: Value
    bare: bool = False


@dataclass(frozen=True)
class Statement:
    """SQL with places for values.

    :param pieces: strings and bound values, in order.
    """

    dialect: Dialect
    pieces: tuple[str | Bound, ...]

    @property
    def values(self) -> list[Value]:
        """Return the values, one for each placeholder, in order."""
        return [piece.value for piece in self.pieces if isinstance(piece, Bound)]

    def sql(self, place: Callable[[int], str] | None = None) -> str:
        """Return the text.

        :param place: how the place of the n-th value, from 1, is written; None: as the driver wants it.
        """
        numbers = count(1)
        escaped = self.dialect.placeholder == "%s" and place is None

        def written(piece: str | Bound) -> str:
            if isinstance(piece, str):
                return piece.replace("%", "%%") if escaped else piece
            number = next(numbers)
            return place(number) if place else self.dialect.placeholder.format(n=number)

        return "".join(map(written, self.pieces))


def statement(
    queries: Sequence[str], parameters: Sequence[str], dates: Mapping[str, str], dialect: Dialect
) -> Statement:
    """Combine the queries into one statement.

    :param queries: one, or a chain; it becomes one statement with CTEs.
    :param parameters: values of ``$1``, ``$2``, ...
    :param dates: name -> text, such as ``today`` -> ``2026-11-22``.
    :raises StatementRefused: a placeholder cannot be filled.
    """
    parts = [_Query(sql, tuple(parameters), dates, dialect) for sql in queries]
    if len(parts) == 1:
        return Statement(dialect, _joined(parts[0].pieces("")))
    pieces: list[str | Bound] = ["WITH RECURSIVE " if any(part.is_recursive for part in parts) else "WITH "]
    for number, part in enumerate(parts[:-1], 1):
        before = _cte(number - 1) if number > 1 else ""
        pieces += [f"{_cte(number)} AS (", *part.pieces(before), "\n)", ", "]
    last = [*parts[-1].pieces(_cte(len(parts) - 1), without_with=True)]
    # A last query with CTEs of its own adds them to the others.
    pieces[-1] = ", " if parts[-1].has_ctes else " "
    return Statement(dialect, _joined([*pieces, *last]))


def _cte(number: int) -> str:
    return f"aqueduct_query_{number}" if number else ""


def _joined(pieces: Iterable[str | Bound]) -> tuple[str | Bound, ...]:
    """Join neighbouring strings."""
    joined: list[str | Bound] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


# --- one query


class _Query:
    """One query of a chain, taken to pieces."""

    def __init__(
        self, sql: str, parameters: tuple[str, ...], dates: Mapping[str, str], dialect: Dialect
    ) -> None:
        self._tokens = tokens(sql.rstrip(), dialect)
        self._parameters = parameters
        self._dates = dates
        self._dialect = dialect
        first = [place for place, token in enumerate(self._tokens) if token.kind not in SILENT][:2]
        words = [self._tokens[place].text.upper() for place in first]
        self.has_ctes = words[:1] == ["WITH"]
        self.is_recursive = words == ["WITH", "RECURSIVE"]
        self._with = set(first[: self.has_ctes + self.is_recursive])
        quotes = {*dialect.string_quotes, dialect.quotes[0], '"'}
        ends = (place for place, token in enumerate(self._tokens) if token.kind in quotes)
        self._unclosed = next(ends, len(self._tokens))

    def pieces(self, before: str, *, without_with: bool = False) -> Iterator[str | Bound]:
        """Yield the query's pieces.

        :param before: the name of the query before; empty: there is none.
        :param without_with: leave out WITH, which stands before all CTEs of the chain.
        """
        previous, lists = "", [""]
        for index, token in enumerate(self._tokens):
            if not (without_with and index in self._with) and not self._is_cast(index):
                for piece in self._piece(index, token, previous, before):
                    self._check_place(index, piece)
                    yield piece
            if token.kind not in SILENT:
                previous = _phrase(previous, token, lists)

    def _check_place(self, index: int, piece: str | Bound) -> None:
        """Refuse a value after a quote that is never closed: it may or may not be part of the text."""
        if index > self._unclosed and isinstance(piece, Bound):
            raise StatementRefused(
                f"The SQL has a {self._tokens[self._unclosed].text} that is never closed, and a parameter "
                "after it: close it, or double it where it is part of a text."
            )

    def _piece(self, index: int, token: Token, previous: str, before: str) -> Iterator[str | Bound]:
        match token.kind:
            case "parameter":
                yield self._parameter(index, int(token.text[1:]), previous)
            case "previous":
                yield self._previous(before)
            case "date":
                yield f"'{self._date(token.text)}'"
            case "text":
                yield from self._literal(index, token.text, previous)
            case "name":
                yield f"{token.text[0]}{self._filled(token.text[1:-1])}{token.text[-1]}"
            case "word" if "$" in token.text:
                yield self._word(token.text)
            case _:
                yield token.text

    def _previous(self, before: str) -> str:
        if not before:
            raise StatementRefused(
                "$ refers to the query before it, and there is none: the first query of a chain cannot use "
                "it. A parameter is written $1, $2, ..."
            )
        return before

    def _parameter(self, index: int, number: int, previous: str) -> str | Bound:
        value = self._value(number)
        if previous in _NAMES_FOLLOW or previous == "." or self._kind(index + 1) == ".":
            return self._dialect.render_name(self._dialect.checked_name(value, _called(number)))
        if previous in _COUNTS_FOLLOW:
            if not re.fullmatch(r"[0-9]{1,18}", value.strip()):
                raise StatementRefused(
                    f"{_called(number)} follows {previous} and must be an integer; give one."
                )
            return Bound(int(value), bare=True)
        return Bound(_typed(value) if self._dialect.strict_types else value, bare=True)

    def _value(self, number: int) -> str:
        if not 1 <= number <= len(self._parameters):
            known = len(self._parameters)
            raise StatementRefused(
                f"The SQL uses ${number}, and there {'is' if known == 1 else 'are'} {known} "
                f"parameter{'' if known == 1 else 's'}: give the parameter, or correct the number."
            )
        return self._parameters[number - 1]

    def _date(self, text: str) -> str:
        name = text.strip("{} \t\r\n")
        if name not in self._dates:
            known = ", ".join(f"{{{{ {known} }}}}" for known in self._dates)
            raise StatementRefused(f"{{{{ {name} }}}} is not available in SQL; available: {known}.")
        return self._dates[name]

    def _kind(self, index: int) -> str:
        return self._tokens[index].kind if index < len(self._tokens) else ""

    # --- literals and names

    def _literal(self, index: int, text: str, previous: str) -> Iterator[str | Bound]:
        """Yield a text literal; as an expression, where it holds values."""
        start = text.index(text[-1])
        prefix, quote, content = text[:start], text[-1], text[start + 1 : -1]
        parts = [part for part in self._split(content, escapes=self._escapes(text)) if part != ""]
        if all(isinstance(part, str) for part in parts):
            yield f"{prefix}{quote}{''.join(part for part in parts if isinstance(part, str))}{quote}"
            return
        cast = previous if self._takes_no_expression(previous) else ""
        if cast == "INTERVAL" and self._next(index).text.upper() in _UNITS:
            raise StatementRefused(
                f"INTERVAL {text} {self._next(index).text} takes no parameter: write the unit into the text, "
                "such as INTERVAL '$1 days'."
            )
        yield "CAST(" if cast else ""
        yield from self._concatenated(
            [part if isinstance(part, Bound) else f"{prefix}{quote}{part}{quote}" for part in parts]
        )
        yield f" AS {cast})" if cast else ""

    def _takes_no_expression(self, word: str) -> bool:
        return word in _TYPED_LITERALS or (word == "INTERVAL" and self._dialect.dollar_quotes)

    def _is_cast(self, index: int) -> bool:
        """Return whether this is the DATE of a ``DATE '$1'``, which becomes ``CAST($1 AS DATE)``."""
        token = self._tokens[index]
        if token.kind != "word" or not self._takes_no_expression(token.text.upper()):
            return False
        after = self._next(index)
        return after.kind == "text" and any(
            isinstance(part, Bound) for part in self._split(after.text, escapes=self._escapes(after.text))
        )

    def _next(self, index: int) -> Token:
        """Return the next token that is neither a space nor a comment."""
        return next((later for later in self._tokens[index + 1 :] if later.kind not in SILENT), Token("", ""))

    def _concatenated(self, parts: list[str | Bound]) -> Iterator[str | Bound]:
        if len(parts) == 1:
            yield parts[0]
            return
        before, between = ("CONCAT(", ", ") if self._dialect.concat == "CONCAT" else ("(", " || ")
        for number, part in enumerate(parts):
            yield before if number == 0 else between
            yield part
        yield ")"

    def _escapes(self, text: str) -> bool:
        """Return whether a backslash escapes in this literal: cut after one, its first part would not end."""
        return self._dialect.backslashes or text[0] in "eE"

    def _split(self, content: str, *, escapes: bool) -> Iterator[str | Bound]:
        """Split a literal's content into strings, with dates, and values. ``$5`` of two inputs is text."""
        text, position = "", 0
        for found in (_INSIDE_ESCAPED if escapes else _INSIDE).finditer(content):
            text += content[position : found.start()]
            position = found.end()
            if found[2]:
                text += self._dates.get(found[2], found[0])
            elif found[1] and 1 <= int(found[1]) <= len(self._parameters):
                yield text
                yield Bound(self._parameters[int(found[1]) - 1])
                text = ""
            else:
                text += found[0]
        yield text + content[position:]

    def _word(self, text: str) -> str:
        filled = self._filled(text)
        return text if filled == text else self._dialect.quote(filled)

    def _filled(self, text: str) -> str:
        """Return a name with its values filled in, each checked to be part of a name."""

        def fill(found: re.Match[str]) -> str:
            number = int(found[1])
            if not 1 <= number <= len(self._parameters):
                return found[0]
            return ".".join(self._dialect.checked_name(self._parameters[number - 1], _called(number)))

        return re.sub(r"\$([0-9]+)", fill, text)


def _called(number: int) -> str:
    return f"The value of ${number}"


def _typed(value: str) -> Value:
    """Return a number if the value reads as one and as nothing else; ``007`` does not."""
    found = _NUMBER.fullmatch(value)
    if not found:
        return value
    return float(value) if found[1] else int(value)


def _phrase(previous: str, token: Token, lists: list[str]) -> str:
    """Return what precedes the next token: a keyword, or two that belong together.

    :param lists: for each bracket that is open, what began the list in it; changed here.
    """
    word = token.text.upper()
    if (previous, word) in (("GROUP", "BY"), ("ORDER", "BY"), ("DISTINCT", "FROM")):
        word = f"{previous} {word}"
    if word in ("(", "["):
        lists.append("")
    elif word in (")", "]") and len(lists) > 1:
        lists.pop()
    elif word in _LISTS or word in _LISTS_END:
        lists[-1] = word if word in _LISTS else ""
    return lists[-1] or word if word == "," else word
