"""Split SQL into the tokens that matter for placeholders: text, names, comments, and all else (pure).

In: SQL of one dialect. Out: tokens whose text, joined, is the SQL again; no SQL is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from aqueduct_provider.connectors.sql.dialect import Dialect

SILENT = frozenset({"space", "comment"})


@dataclass(frozen=True)
class Token:
    """A piece of SQL.

    :param kind: ``space``, ``comment``, ``dollars`` (a dollar-quoted text), ``text``, ``name`` (quoted),
        ``date``, ``word``, ``parameter``, ``previous``; for any other character, the character.
    """

    kind: str
    text: str


def tokens(sql: str, dialect: Dialect) -> list[Token]:
    """Return the tokens, without the semicolons at the end, even where comments follow them."""
    found = list(_tokens(sql, dialect))
    end = len(found)
    while end and (found[end - 1].kind in SILENT or found[end - 1].kind == ";"):
        end -= 1
    return [*found[:end], *(token for token in found[end:] if token.kind != ";")]


def _tokens(sql: str, dialect: Dialect) -> Iterator[Token]:
    position, pattern = 0, _pattern(dialect)
    while position < len(sql):
        if dialect.nested_comments and sql.startswith("/*", position):
            end = _comment_end(sql, position)
            yield Token("comment", sql[position:end])
        else:
            found = pattern.match(sql, position)
            assert found
            end, kind = found.end(), str(found.lastgroup)
            yield Token(found[0] if kind == "other" else kind, found[0])
        position = end


def _comment_end(sql: str, start: int) -> int:
    depth = 0
    for found in re.finditer(r"/\*|\*/", sql[start:]):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return start + found.end()
    return len(sql)


@lru_cache
def _pattern(dialect: Dialect) -> re.Pattern[str]:
    """Alternatives in this order; the last one takes any character, so that all SQL is tokens."""
    dashes = r"--(?![^\x00-\x20])" if dialect.spaced_dashes else "--"
    comment = rf"{dashes}[^\n]*|/\*.*?(?:\*/|\Z)" + (r"|\#[^\n]*" if dialect.hash_comments else "")
    left, right = map(re.escape, dialect.quotes)
    names = [rf"{left}(?:[^{right}]|{right}{right})*{right}"]
    if '"' not in dialect.string_quotes and dialect.quotes[0] != '"':
        names.append(r'"(?:[^"]|"")*"')
    kinds = {
        "space": r"\s+",
        "comment": comment,
        "dollars": r"\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$" if dialect.dollar_quotes else r"(?!)",
        "text": "|".join(_text_pattern(quote, dialect) for quote in dialect.string_quotes),
        "name": "|".join(names),
        "date": r"\{\{\s*\w+\s*\}\}",
        "word": r"[^\W\d][\w$]*",
        "parameter": r"\$[0-9]+",
        "previous": r"\$(?![\w$])",
        "other": r".",
    }
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items()), re.DOTALL)


def _text_pattern(quote: str, dialect: Dialect) -> str:
    escaped = rf"[^\W\d]?{quote}(?:[^{quote}\\]|\\.|{quote}{quote})*{quote}"
    plain = rf"{quote}(?:[^{quote}]|{quote}{quote})*{quote}"
    if dialect.backslashes:
        return escaped
    # Postgres: E'...' is the one with backslashes.
    return rf"[eE]{quote}(?:[^{quote}\\]|\\.|{quote}{quote})*{quote}|[nNbBxX]?{plain}"
