from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqueduct_provider.artifacts.named_secrets import without_named_secrets

VALUE = "hunter2!"


def shown(text: str, kind: str = "json") -> str:
    found = without_named_secrets({"kind": kind, "text": text})["text"]
    assert isinstance(found, str)
    return found


def test_columns() -> None:
    preview = {
        "kind": "table",
        "columns": [
            {"name": "user", "dtype": "str", "min": "a", "max": "b"},
            {
                "name": "db_password",
                "dtype": "str",
                "nulls": 0.5,
                "min": "letmein",
                "max": "pa55",
                "bars": [1],
            },
            {"name": "api_key", "dtype": "int64", "min": 71, "max": 94},
            {"name": "max_tokens", "dtype": "int64", "min": 3, "max": 4},
        ],
        "head": [["ada", "letmein", 71, 3], ["bob", None, 94, 4]],
        "rows": 2,
    }
    assert without_named_secrets(preview) == {
        "kind": "table",
        "columns": [
            {"name": "user", "dtype": "str", "min": "a", "max": "b"},
            {"name": "db_password", "dtype": "str", "nulls": 0.5},
            {"name": "api_key", "dtype": "int64"},
            {"name": "max_tokens", "dtype": "int64", "min": 3, "max": 4},
        ],
        "head": [["ada", "***", "***", 3], ["bob", None, "***", 4]],
        "rows": 2,
    }


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"db": {"password": "hunter2"}, "n": 1}', '{"db": {"password": "***"}, "n": 1}'),
        ('{"api_key": ["k1", {"a": 2}], "n": 1}', '{"api_key": "***", "n": 1}'),
        ('{"user": "ada",\n  "token" : 71}', '{"user": "ada",\n  "token" : "***"}'),
        # Cut.
        ('{"n": 1, "password": "hunt', '{"n": 1, "password": "***"'),
        ('{"n": 1, "password": {"a": "hunt', '{"n": 1, "password": "***"'),
        ('{"n": 1, "password": ', '{"n": 1, "password": '),
        ('{"n": 1, "passw', '{"n": 1, "passw'),
        # In other letters, and in a text.
        (r'{"passw\u006frd": "x"}', r'{"passw\u006frd": "***"}'),
        (r'{"note": "the \"password\": \"x\""}', r'{"note": "the \"password\": \"x\""}'),
        # Nothing to hide.
        ('{"password": null, "token": "", "secret": [], "max_tokens": 5}', None),
        ('["password", "hunter2"]', None),
        ('{"bad \\x password": 1}', '{"bad \\x password": "***"}'),
    ],
)
def test_members(text: str, masked: str | None) -> None:
    assert shown(text) == (text if masked is None else masked)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("User(name='ada', password='hunter2')", "User(name='ada', password=***)"),
        ("{'user': 'ada', 'token': 'a\\'b', 'n': 1}", "{'user': 'ada', 'token': ***, 'n': 1}"),
        ("Login(api_key=71, port=80)", "Login(api_key=***, port=80)"),
        ("Login(password='hunt", "Login(password=***"),
        ("Login(password=None, token='', max_tokens=5)", None),
    ],
)
def test_fields(text: str, masked: str | None) -> None:
    assert shown(text, "repr") == (text if masked is None else masked)


def test_texts_of_users_stay_as_they_are() -> None:
    assert shown('{"password": "x"}', "text") == '{"password": "x"}'
    odd = {"kind": "json", "text": 7}
    assert without_named_secrets(odd) == odd


KEYS = st.sampled_from(["user", "password", "n", 'a"b', "api_key", "ü"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(DOCUMENTS, st.integers(0, 60), st.sampled_from([None, 2]))
def test_no_cut_shows_a_secret_or_changes_the_rest(document: object, left: int, indent: int | None) -> None:
    whole = json.dumps({"first": document, "password": VALUE, "last": document}, indent=indent)
    text = whole[: len(whole) - left]
    found = shown(text)
    assert not any(VALUE[:size] in found for size in range(4, len(VALUE) + 1))
    if not left:
        assert json.loads(found) == masked(json.loads(whole))


def masked(value: object) -> object:
    """What the answer must be, from the parsed document."""
    if isinstance(value, list):
        return [masked(one) for one in value]
    if not isinstance(value, dict):
        return value
    hidden = {"password", "api_key"}
    return {
        key: "***" if key in hidden and one not in (None, "", [], {}) else masked(one)
        for key, one in value.items()
    }
