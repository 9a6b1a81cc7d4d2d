"""What the metadata of an artifact says of its content, checked (pure).

In: metadata as JSON, with a ``preview`` that was made in a process that ran the user's code, so that any part
of it may be of any type and size. Out: frozen values with limits.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aqueduct_provider.artifacts.named_secrets import without_named_secrets
from aqueduct_provider.errors import IntegrityError

Cell = str | int | float | bool | None

ROWS, _COLUMNS, _BARS = 50, 60, 50
# Small images of a list, characters of one.
_IMAGES, _JPEG = 12, 40_000
# Characters of a cell, and of a text.
_CELL, _TEXT = 200, 40_000
# Beginnings of the names of types of numbers.
_NUMBERS = ("int", "uint", "float", "double", "halffloat", "decimal")
# The most frequent values of a column.
_TOP = 5
_MISSING = ("nan", "NaT", "<NA>", "None")


@dataclass(frozen=True)
class ColumnPreview:
    """A column of a table.

    :param nulls: the share of missing values, 0 to 1; None: unknown.
    :param lowest: None: the column has no order, or no values.
    :param bars: how many values lie in each part of the range; empty: unknown.
    :param top: the most frequent values, each with how often it is there; empty: unknown, or each is there
        once.
    :param distinct: how many different values there are; None: unknown.
    :param counted: in how many values these were counted; None: unknown.
    :param is_index: it is a part of the index.
    """

    name: str
    dtype: str
    nulls: float | None = None
    lowest: Cell = None
    highest: Cell = None
    bars: tuple[int, ...] = ()
    top: tuple[tuple[Cell, int], ...] = ()
    distinct: int | None = None
    counted: int | None = None
    is_index: bool = False

    @property
    def is_number(self) -> bool:
        """Check whether its values are numbers."""
        if isinstance(self.lowest, int | float):
            return not isinstance(self.lowest, bool)
        # Of those that JSON has not, such as infinite and exact ones, text is shown.
        return self.dtype.lower().startswith(_NUMBERS)


@dataclass(frozen=True)
class TablePreview:
    """A table: its columns and first rows.

    :param rows: how many the table has; None: unknown.
    :param width: how many columns the table has; None: unknown.
    :param sample: how many rows the statistics are made from; None: all.
    """

    columns: tuple[ColumnPreview, ...]
    head: tuple[tuple[Cell, ...], ...]
    rows: int | None = None
    width: int | None = None
    sample: int | None = None
    kind: str = "table"

    @property
    def is_sampled(self) -> bool:
        """Check whether the statistics are made from some of the rows."""
        return None not in (self.sample, self.rows) and (self.sample or 0) < (self.rows or 0)

    @property
    def has_range(self) -> bool:
        """Check whether anything is known of the values of a column."""
        return any(one.lowest is not None or one.bars or one.distinct for one in self.columns)

    @property
    def shown_width(self) -> int:
        """How many columns are shown, without those of the index."""
        return sum(not one.is_index for one in self.columns)


@dataclass(frozen=True)
class TextPreview:
    """Text, JSON, or the ``repr`` of an object.

    :param kind: ``text``, ``json`` or ``repr``.
    :param is_cut: there is more of it.
    """

    kind: str
    text: str
    is_cut: bool = False


@dataclass(frozen=True)
class ImagePreview:
    """An image, which pages load by itself."""

    width: int | None = None
    height: int | None = None
    kind: str = "image"


@dataclass(frozen=True)
class Thumbnail:
    """A small image of one in a list.

    :param width: of the image itself, in pixels; None: unknown.
    :param jpeg: of the small one, in base64.
    """

    width: int | None
    height: int | None
    jpeg: str


@dataclass(frozen=True)
class ImagesPreview:
    """A list of images: small ones of the first.

    :param count: how many images the list has; None: unknown.
    """

    images: tuple[Thumbnail, ...]
    count: int | None = None
    kind: str = "images"


Preview = TablePreview | TextPreview | ImagePreview | ImagesPreview


@dataclass(frozen=True)
class StoredFacts:
    """What the metadata of an artifact says.

    :param encoding: the codec and its version; empty: unknown.
    :param measured: of the operator that made it, such as ``runtime`` -> seconds.
    :param columns: of a table: name and type.
    :param problem: why it cannot be shown, a sentence; empty: it is here.
    """

    preview: Preview | None = None
    python_type: str = ""
    encoding: str = ""
    measured: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    problem: str = ""


def preview_of(document: object) -> Preview | None:
    """Return a preview as it can be shown; None: there is none, or it is not one that this release knows."""
    if not isinstance(document, Mapping):
        return None
    kind, text, is_cut = document.get("kind"), document.get("text"), document.get("cut") is True
    if isinstance(text, str):
        # Before it is searched: whoever can write to the store may have made it long.
        is_cut = is_cut or len(text) > _TEXT
        document = {**document, "text": text[:_TEXT]}
    # An older release may have written it, which did not hide them.
    document = without_named_secrets(document)
    if kind == "table":
        return _table(document)
    if kind in ("text", "json", "repr") and isinstance(text, str):
        return TextPreview(kind, document["text"], is_cut=is_cut)
    if kind == "image":
        return ImagePreview(_count(document.get("width")), _count(document.get("height")))
    if kind == "images":
        found = [_thumbnail(one) for one in _list(document.get("images"))[:_IMAGES]]
        return ImagesPreview(tuple(filter(None, found)), _count(document.get("count")))
    return None


def _thumbnail(found: object) -> Thumbnail | None:
    """Return a small image; None: it is not a JPEG, which is all that is shown in a page itself."""
    facts = found if isinstance(found, Mapping) else {}
    jpeg = facts.get("jpeg")
    if not isinstance(jpeg, str) or len(jpeg) > _JPEG:
        return None
    try:
        data = base64.b64decode(jpeg, validate=True)
    except ValueError:
        return None
    is_jpeg = data.startswith(b"\xff\xd8\xff")
    return Thumbnail(_count(facts.get("width")), _count(facts.get("height")), jpeg) if is_jpeg else None


def _table(document: Mapping[str, Any]) -> TablePreview:
    columns = tuple(_column(one) for one in _list(document.get("columns"))[:_COLUMNS])
    head = tuple(
        tuple(_shown(cell, column) for cell, column in zip(_list(row), columns, strict=False))
        for row in _list(document.get("head"))[:ROWS]
    )
    return TablePreview(
        columns=columns,
        # Rows may be short where the preview was cut.
        head=tuple((*row, *[None] * (len(columns) - len(row))) for row in head),
        rows=_count(document.get("rows")),
        width=_count(document.get("width")),
        sample=_count(document.get("sample")),
    )


def _shown(value: object, column: ColumnPreview) -> Cell:
    """Return a cell; a missing value, which some types show as a word, is None."""
    return None if column.nulls and value in _MISSING else _cell(value)


def _column(found: object) -> ColumnPreview:
    facts = found if isinstance(found, Mapping) else {}
    nulls = facts.get("nulls")
    is_share = isinstance(nulls, int | float) and not isinstance(nulls, bool) and 0 <= nulls <= 1
    bars = [_count(one) for one in _list(facts.get("bars"))[:_BARS]]
    return ColumnPreview(
        name=str(_cell(facts.get("name", "?"))),
        dtype=str(_cell(facts.get("dtype", ""))),
        nulls=float(nulls) if is_share and nulls is not None else None,
        lowest=_cell(facts.get("min")),
        highest=_cell(facts.get("max")),
        bars=() if None in bars else tuple(one for one in bars if one is not None),
        top=tuple(filter(None, map(_frequent, _list(facts.get("top"))[:_TOP]))),
        distinct=_count(facts.get("distinct")),
        counted=_count(facts.get("counted")),
        is_index=facts.get("index") is True,
    )


def _frequent(found: object) -> tuple[Cell, int] | None:
    pair = _list(found)
    count = _count(pair[1]) if len(pair) == 2 else None
    return None if count is None else (_cell(pair[0]), count)


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else "(a very large number)"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return "(not shown)"
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 2**63 else None


# --- metadata


def stored_facts_of(document: Any) -> StoredFacts:
    """Return what the metadata of an artifact says.

    :param document: its JSON, parsed.
    :raises IntegrityError: it is not an object.
    """
    if not isinstance(document, dict):
        raise IntegrityError("The metadata of this artifact is not a JSON object.")
    measured, schema = document.get("system_metadata"), document.get("schema")
    return StoredFacts(
        preview=preview_of(document.get("preview")),
        python_type=_word(document.get("python_type")),
        encoding=_word(document.get("encoding")),
        measured=_pairs(measured.items() if isinstance(measured, dict) else ()),
        columns=_pairs(
            pair
            for column in (schema if isinstance(schema, list) else ())
            if isinstance(column, dict)
            for pair in column.items()
        ),
    )


def _pairs(found: Any) -> tuple[tuple[str, str], ...]:
    return tuple((_word(str(name)), _word(str(value))) for name, value in found)


def _word(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""
