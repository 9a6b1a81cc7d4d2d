"""Loads of files stay away from what Airflow and its workers run."""

from __future__ import annotations

import pytest

from aqueduct_provider.protected_keys import PROTECTED, is_ledger, protected_prefix
from aqueduct_provider.storage import layout

STORE = "s3://bucket/team/a/"


@pytest.mark.parametrize("prefix", PROTECTED)
@pytest.mark.parametrize(
    "target",
    [
        "s3://bucket/team/a/{}/x",
        "s3://bucket/team/a//{}/x",
        "s3://bucket//team/a/{}/x/y",
        "s3://bucket/team/a/./{}/x",
        "s3://bucket/team/a/data/../{}/x",
        "s3://bucket/team/b/../a/{}/x",
        "s3://bucket/../../team/a/{}/x",
        "s3://bucket/team\\a\\{}\\x",
        "s3://BUCKET/Team/A/{}/x",
        "gs://bucket/team/a/{}/x",
        "s3://bucket/team/a/{}/",
        "s3://reports-7rk3yzq4usw1b-s3alias/team/a/{}/x",
        "s3://reports-7rk3yzq4usw1b--ol-s3/team/a/{}/x",
    ],
)
def test_what_is_below_a_prefix_of_the_product(target: str, prefix: str) -> None:
    assert protected_prefix(STORE, target.format(prefix)) == f"{prefix}/"
    assert protected_prefix(STORE, target.format(prefix.upper())) == f"{prefix}/"
    assert protected_prefix(STORE, target.format(prefix).replace("/x", "/"), is_whole=False) == f"{prefix}/"


@pytest.mark.parametrize(
    "target",
    [
        "s3://bucket/team/a/reports/specs/x",
        "s3://bucket/team/a/specs",
        "s3://bucket/team/a/specs-old/x",
        "s3://bucket/team/specs/x",
        "s3://bucket/specs/x",
        "s3://other/team/a/specs/x",
        "s3://bucket/team/a/",
        "s3://bucket/team/a/specs/../x",
        "s3://reports-7rk3yzq4usw1b-s3alias/other/specs/x",
    ],
)
def test_what_is_elsewhere(target: str) -> None:
    assert protected_prefix(STORE, target) == ""


def test_a_beginning_is_not_yet_below_it() -> None:
    assert protected_prefix(STORE, "s3://bucket/team/a/specs", is_whole=False) == ""
    assert protected_prefix(STORE, "s3://bucket/team/a/specs/da", is_whole=False) == "specs/"


def test_a_store_behind_an_access_point() -> None:
    store = "s3://team-7rk3yzq4usw1b-s3alias/"
    assert protected_prefix(store, "s3://bucket/flows/x") == "flows/"
    assert protected_prefix(store, "s3://bucket/data/x") == ""


def test_a_store_without_a_prefix() -> None:
    assert protected_prefix("s3://bucket/", "s3://bucket/flows/x") == "flows/"


def test_every_key_of_the_product_is_below_one() -> None:
    run = layout.NativeLayout("flow", "run")
    keys = [
        layout.delivered_spec("dag"),
        layout.published("dag"),
        layout.retired("dag"),
        layout.pinned_version("v"),
        layout.pinned_spec("0"),
        layout.function_archive("0"),
        layout.FlowLayout("flow").value("0"),
        layout.FlowLayout("flow").version("v"),
        run.content("a"),
        run.exec_state("o"),
        run.pruned_mark,
    ]
    assert {protected_prefix(STORE, f"{STORE}{key}") for key in keys} == {f"{name}/" for name in PROTECTED}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("aqueduct_loads", True),
        ("Aqueduct_Loads", True),
        ("main.aqueduct_loads", True),
        ("db.schema.AQUEDUCT_LOADS", True),
        ("\uff41queduct_load\u017f", True),
        ("aqueduct_loads.t", False),
        ("my_aqueduct_loads", False),
        ("", False),
    ],
)
def test_the_ledger_in_any_spelling(table: str, expected: bool) -> None:
    assert is_ledger(table) is expected
