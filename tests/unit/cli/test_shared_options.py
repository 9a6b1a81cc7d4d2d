"""What subcommands share: configuration, store, JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.cli.command import UsageError
from aqueduct_provider.cli.shared_options import (
    _STORE,
    add_config,
    add_json,
    add_store,
    client_of,
    operator_documents,
    positive,
    print_json,
    profile_of,
    store_options,
)
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.resources.profile import STORE_FIELDS
from aqueduct_provider.sdk.results.outcomes import OperatorRun


def parsed(*words: str) -> Any:
    parser = ArgumentParser()
    add_store(parser)
    add_json(parser)
    return parser.parse_args(words)


def test_every_field_of_a_store_is_an_option() -> None:
    assert set(_STORE) == set(STORE_FIELDS)
    words = [word for name in _STORE for word in (f"--{name.replace('_', '-')}", f"of {name}")]
    assert store_options(parsed(*words)) == {name: f"of {name}" for name in _STORE}
    assert store_options(parsed()) == {}


def test_options_beat_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[store]\nbucket = "filed"\nregion = "eu-west-1"\n', "utf-8")
    file.chmod(0o600)
    chosen = parsed("--config", str(file), "--bucket", "typed")
    for profile in (profile_of(chosen), client_of(chosen)._session.profile):
        assert (profile.path, profile.store.bucket, profile.store.region) == (file, "typed", "eu-west-1")
    assert profile_of(parsed("--config", str(file))).store.bucket == "filed"


def test_a_profile_without_options_of_a_store(tmp_path: Path) -> None:
    parser = ArgumentParser()
    add_config(parser)
    assert profile_of(parser.parse_args(["--config", str(tmp_path / "x")])).services() == {}


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc)
    print_json({"at": moment, "status": ExecutionStatus.FAILED, "path": Path("a"), "text": "é"})
    assert json.loads(capsys.readouterr().out) == {
        "at": "2026-01-02T03:04:00+00:00",
        "status": "failed",
        "path": "a",
        "text": "é",
    }


def test_what_is_nested_too_deeply_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    with pytest.raises(UsageError, match="nested too deeply to be printed as JSON"):
        print_json({"value": deep})
    assert capsys.readouterr().out == ""


def test_json_has_null_for_what_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": float("nan"), "b": [float("inf"), (1.5, -float("inf"))]})

    def refuse(name: str) -> None:
        raise AssertionError(name)

    found = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert found == {"a": None, "b": [None, [1.5, None]]}


def test_operators_for_programs() -> None:
    (found,) = operator_documents([OperatorRun("train", "train_1", "function", try_number=2)])
    assert (found["name"], found["task_id"], found["type"], found["try_number"]) == (
        "train",
        "train_1",
        "function",
        2,
    )
    assert "kind" not in found


def test_numbers() -> None:
    assert positive("3") == 3
    for text in ("0", "-1", "1.5", "", "x"):
        with pytest.raises(ArgumentTypeError, match="not an integer above 0"):
            positive(text)
