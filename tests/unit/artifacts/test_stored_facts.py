from __future__ import annotations

import base64
from typing import Any

import pytest

from aqueduct_provider.artifacts.stored_facts import (
    ColumnPreview,
    ImagePreview,
    ImagesPreview,
    StoredFacts,
    TablePreview,
    TextPreview,
    Thumbnail,
    preview_of,
    stored_facts_of,
)
from aqueduct_provider.errors import IntegrityError

TABLE = {
    "kind": "table",
    "columns": [
        {"name": "price", "dtype": "float64", "nulls": 0.25, "min": 1.5, "max": 9, "bars": [1, 0, 2]},
        {"name": "kind", "dtype": "str", "nulls": 0.0, "min": None, "max": None, "bars": []},
    ],
    "head": [[1.5, "red"], ["nan", "nan"]],
    "rows": 4,
    "width": 70,
    "sample": 2,
}


def test_a_table() -> None:
    found = preview_of(TABLE)
    assert isinstance(found, TablePreview)
    price, kind = found.columns
    assert price == ColumnPreview("price", "float64", 0.25, 1.5, 9, (1, 0, 2))
    assert (price.is_number, kind.is_number, found.has_range, found.is_sampled) == (True, False, True, True)
    # What is missing says so; where nothing is missing, "nan" is a word.
    assert found.head == ((1.5, "red"), (None, "nan"))
    assert (found.rows, found.width) == (4, 70)


def test_frequent_values_and_an_index() -> None:
    column = {
        "name": "kind",
        "dtype": "str",
        "top": [["red", 3], ["", 1]],
        "distinct": 9,
        "counted": 12,
        "index": True,
    }
    found = preview_of(
        {**TABLE, "columns": [column, {"name": "x", "top": [7, ["a"], ["b", "many"]], "index": 1}]}
    )
    assert isinstance(found, TablePreview)
    kind, x = found.columns
    assert kind == ColumnPreview(
        "kind", "str", top=(("red", 3), ("", 1)), distinct=9, counted=12, is_index=True
    )
    assert (x.top, x.distinct, x.is_index) == ((), None, False)
    assert (found.has_range, found.shown_width) == (True, 1)


@pytest.mark.parametrize(
    ("facts", "is_number"),
    [
        ({"min": 1}, True),
        ({"dtype": "double", "min": "-inf", "bars": [1]}, True),
        ({"dtype": "Decimal", "min": "1.50", "bars": [1]}, True),
        ({"dtype": "date", "min": "2026-01-01", "bars": [1, 1]}, False),
        ({"min": True}, False),
        ({"dtype": "str"}, False),
    ],
)
def test_numbers_stand_on_the_right(facts: dict[str, Any], is_number: bool) -> None:
    found = preview_of({**TABLE, "columns": [facts]})
    assert isinstance(found, TablePreview)
    assert found.columns[0].is_number is is_number


def test_a_text_is_cut_before_its_secrets_are_masked() -> None:
    before = '{"a": "' + "x" * 39_980 + '", "token": "'
    found = preview_of({"kind": "json", "text": before + "letmein" * 1_000_000 + '"}'})
    assert found == TextPreview("json", before[:-1] + '"***"', is_cut=True)


def test_columns_with_the_names_of_secrets_are_hidden_in_previews_of_older_releases() -> None:
    columns = [{"name": "user_token", "dtype": "str", "min": "abc", "max": "xyz"}, *TABLE["columns"]]
    found = preview_of({**TABLE, "columns": columns, "head": [["abc", 1.5, "red"], ["xyz"]]})
    assert isinstance(found, TablePreview)
    assert found.columns[0] == ColumnPreview("user_token", "str")
    assert found.head == (("***", 1.5, "red"), ("***", None, None))


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"kind": "text", "text": "x", "cut": True}, TextPreview("text", "x", is_cut=True)),
        ({"kind": "json", "text": "{}"}, TextPreview("json", "{}")),
        ({"kind": "repr", "text": "A()", "cut": "yes"}, TextPreview("repr", "A()")),
        ({"kind": "image", "width": 3, "height": -1}, ImagePreview(3, None)),
        ({"kind": "image", "width": True, "height": 1.5}, ImagePreview()),
        ({"kind": "text", "text": 7}, None),
        ({"kind": "video"}, None),
        ({"kind": ["table"]}, None),
        ({}, None),
        (None, None),
        ([], None),
        ("table", None),
    ],
)
def test_other_previews(document: Any, found: Any) -> None:
    assert preview_of(document) == found


@pytest.mark.parametrize(
    "change",
    [
        {"columns": None},
        {"columns": [None, 7, {"name": {"a": 1}, "dtype": [], "nulls": "x", "bars": "abc"}]},
        {"columns": [{"nulls": float("nan"), "min": float("inf"), "max": 10**400, "bars": [1, -1]}]},
        {"head": None},
        {"head": {"a": 1}},
        {"head": [None, "ab", [1] * 500, [{"deep": [1]}], [object()], []]},
        {"rows": "many", "width": -1, "sample": 1.5},
        {"head": [[1]] * 10_000},
        {"columns": [{"name": "x" * 10_000}] * 10_000},
    ],
)
def test_a_table_of_any_kind_can_be_shown(change: dict[str, Any]) -> None:
    found = preview_of({**TABLE, **change})
    assert isinstance(found, TablePreview)
    assert len(found.columns) <= 60
    assert len(found.head) <= 50
    for row in found.head:
        assert len(row) == len(found.columns)
        assert all(len(str(one)) <= 201 for one in row)
    for column in found.columns:
        assert len(column.name) <= 201
        assert all(type(one) is int and one >= 0 for one in column.bars)


JPEG = base64.b64encode(b"\xff\xd8\xff\xe0 and more").decode()


def test_a_list_of_images() -> None:
    images = [{"width": 640, "height": 480, "jpeg": JPEG}, {"jpeg": JPEG, "width": "wide"}] * 10
    found = preview_of({"kind": "images", "count": 20, "images": images})
    assert isinstance(found, ImagesPreview)
    assert (found.count, len(found.images)) == (20, 12)
    assert found.images[:2] == (Thumbnail(640, 480, JPEG), Thumbnail(None, None, JPEG))


@pytest.mark.parametrize(
    "image",
    [
        None,
        {},
        {"jpeg": 7},
        {"jpeg": "not base64"},
        {"jpeg": base64.b64encode(b"<svg onload=act()>").decode()},
        {"jpeg": f'{JPEG}" onerror="act()'},
        {"jpeg": base64.b64encode(b"\xff\xd8\xff" + bytes(40_000)).decode()},
    ],
)
def test_nothing_but_small_jpegs_is_put_into_a_page(image: Any) -> None:
    assert preview_of({"kind": "images", "images": [image]}) == ImagesPreview(())


def test_text_is_limited() -> None:
    found = preview_of({"kind": "text", "text": "x" * 1_000_000, "cut": False})
    assert isinstance(found, TextPreview)
    assert (len(found.text), found.is_cut) == (40_000, True)


def test_what_metadata_says() -> None:
    columns = [{"id": "int64"}, {"kind": "str"}]
    document = {"preview": TABLE, "encoding": "table/1", "schema": columns, "python_type": 7}
    found = stored_facts_of(document)
    assert found == StoredFacts(
        preview_of(TABLE), encoding="table/1", columns=(("id", "int64"), ("kind", "str"))
    )
    with pytest.raises(IntegrityError, match="is not a JSON object"):
        stored_facts_of([])
