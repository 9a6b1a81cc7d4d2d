"""What users give to methods, and what is refused before anything is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.argument_checks import (
    check_folder,
    check_limit,
    check_mapping,
    check_name,
    check_seconds,
)
from tests.unit.sdk.conftest import Finished


def test_what_is_right_is_given_back() -> None:
    assert check_limit("versions", 1) == 1
    assert check_seconds("resume", "timeout", 0) == 0
    assert check_name("operator", "train") == "train"
    assert check_folder("export", "~/review") == Path.home() / "review"
    assert check_folder("export", Path("review")) == Path("review")
    assert check_mapping("parameters", {"a": None}, "{}") == {"a": None}


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "x", None])
def test_limits(finished: Finished, limit: Any) -> None:
    for method in (finished.flow.versions, finished.flow.runs_table):
        with pytest.raises(AuthoringError, match=r": limit must be an integer above 0, such as 50, not "):
            method(limit)


@pytest.mark.parametrize("seconds", [-1, True, "x", None, float("nan"), float("inf")])
def test_seconds(finished: Finished, seconds: Any) -> None:
    with pytest.raises(AuthoringError, match=r"^resume: timeout must be a number of seconds"):
        finished.bad.resume(version="latest", timeout=seconds)


@pytest.mark.parametrize("name", [None, 3, []])
def test_names_of_operators(finished: Finished, name: Any) -> None:
    for method in (finished.flow.version(1).source, finished.bad.replay):
        with pytest.raises(AuthoringError, match=r"^Name the operator with text"):
            method(name)
    if name is not None:
        with pytest.raises(AuthoringError, match=r"^Name the operator with text"):
            finished.bad.logs(name)


@pytest.mark.parametrize("folder", [None, "", 3, "a\0b", b"review"])
def test_folders(finished: Finished, folder: Any) -> None:
    for method in (finished.flow.export, finished.made.client.import_flow):
        with pytest.raises(AuthoringError, match=r": folder must be a path, such as 'review/churn', not "):
            method(folder)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"parameters": ["rows"]}, "^parameters must be a dict by name"),
        ({"parameters": []}, "^parameters must be a dict by name"),
        ({"parameters": {3: 3}}, "^parameters must be a dict by name"),
        ({"connections": [1]}, "^connections must be a dict by name"),
        ({"connections": {"a": 3}}, "^connections has 3 as an id: give text"),
        ({"connections": {"shop": "live"}}, "^'churn' has no Airflow connection 'shop'"),
    ],
)
def test_what_is_different_there(finished: Finished, tmp_path: Path, given: Any, match: str) -> None:
    finished.flow.export(tmp_path / "churn")
    with pytest.raises(AuthoringError, match=match):
        finished.made.client.import_flow(tmp_path / "churn", **given)


def test_what_a_flow_is_promoted_to(finished: Finished) -> None:
    for to in (None, "production", finished.flow):
        with pytest.raises(
            AuthoringError, match=r"^promote takes a client of where it goes, such as aq.Client"
        ):
            finished.flow.promote(to)  # type: ignore[arg-type]


def test_what_a_run_is_compared_with(finished: Finished) -> None:
    other: Any
    for other in (None, 3, finished.flow):
        with pytest.raises(AuthoringError, match=r"^compare takes another run, or its id, not "):
            finished.good.compare(other)


def test_variables_that_name_one_store_for_both(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = finished.made.session.profile.store
    for field in ("bucket", "region", "endpoint_url", "credentials_path"):
        monkeypatch.setenv(f"AQUEDUCT_{field.upper()}", getattr(store, field))
    other = aq.Client(config_path=tmp_path / "production.toml")
    with pytest.raises(AuthoringError, match="AQUEDUCT_BUCKET in the environment beat"):
        finished.flow.promote(other)
