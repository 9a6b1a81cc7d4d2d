from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider import config
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.get_provider_info import get_provider_info

OPTIONS: dict[str, dict[str, Any]] = get_provider_info()["config"]["aqueduct"]["options"]
DEFAULTS: dict[str, Any] = {
    "environments_max_bytes": 20 * 10**9,
    "isolation": "auto",
    "sandbox": "none",
    "sandbox_network": True,
    "missing_python": "fail",
    "s3_retry_mode": "standard",
    "s3_max_attempts": 5,
    "s3_patience": 120.0,
    "s3_connect_timeout": 10.0,
    "s3_read_timeout": 60.0,
    "archive_max_bytes": 10**9,
    "archive_max_files": 10000,
    "output_limit_bytes": 10**6,
    "kill_grace": 2.0,
    "parallel_requests": 10,
    "child_env_allow": frozenset(),
    "pickled_parameters": True,
    "pages": True,
    "queues": (),
    "notifiers": {},
}


def set_option(monkeypatch: pytest.MonkeyPatch, option: str, value: str) -> None:
    monkeypatch.setenv(f"AIRFLOW__AQUEDUCT__{option.upper()}", value)


def test_defaults() -> None:
    from airflow.configuration import AIRFLOW_HOME

    assert {option: getattr(config, option)() for option in DEFAULTS} == DEFAULTS
    assert config.cache_dir() == Path(AIRFLOW_HOME) / "aqueduct"
    assert OPTIONS.keys() == {*DEFAULTS, "cache_dir"}


@pytest.mark.parametrize("option", OPTIONS)
def test_examples_are_valid_and_not_the_default(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    default = getattr(config, option)()
    set_option(monkeypatch, option, OPTIONS[option]["example"])
    assert getattr(config, option)() != default


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("environments_max_bytes", "20 GB", 20 * 10**9),
        ("environments_max_bytes", "1.5gib", 3 * 2**29),
        ("environments_max_bytes", "123", 123),
        ("environments_max_bytes", "1B", 1),
        ("isolation", " Never ", "never"),
        ("kill_grace", "4.9", 4.9),
        ("child_env_allow", " A_1,b ,,", frozenset({"A_1", "b"})),
        ("pickled_parameters", "true", True),
        ("pages", "false", False),
        ("cache_dir", "/var/x", Path("/var/x")),
        (
            "notifiers",
            "a.B b_conn_id:discord text,  c.d.E  conn:http  message ",
            {
                "a.B": config.NotifierRule("a.B", "b_conn_id", "discord", "text"),
                "c.d.E": config.NotifierRule("c.d.E", "conn", "http", "message"),
            },
        ),
        ("queues", "gpu:q", (config.QueueRule("gpu", 1, "q"),)),
        ("queues", "num_cpus >= 8 : a-b", (config.QueueRule("num_cpus", 8, "a-b"),)),
        ("cache_dir", "~/x", Path.home() / "x"),
    ],
)
def test_values(monkeypatch: pytest.MonkeyPatch, option: str, text: str, value: object) -> None:
    set_option(monkeypatch, option, text)
    assert getattr(config, option)() == value


@pytest.mark.parametrize(
    ("option", "text", "allowed"),
    [
        ("environments_max_bytes", "20 bananas", "a size above 0, such as 500 MB or 20 GB"),
        ("environments_max_bytes", "0", "a size above 0"),
        ("environments_max_bytes", "-1 GB", "a size above 0"),
        ("environments_max_bytes", "1.2.3 GB", "a size above 0"),
        ("environments_max_bytes", "0.1", "a size above 0"),
        ("isolation", "sometimes", "one of: auto, always, never"),
        ("isolation", "", "one of: auto, always, never"),
        ("sandbox", "docker", "one of: none, bwrap"),
        ("sandbox_network", "maybe", "one of: on, off"),
        ("missing_python", "x", "one of: fail, worker, download"),
        ("s3_retry_mode", "legacy", "one of: standard, adaptive"),
        ("s3_max_attempts", "0", "an integer above 0"),
        ("s3_max_attempts", "2.5", "an integer above 0"),
        ("s3_read_timeout", "nan", "a number of seconds above 0"),
        ("s3_read_timeout", "inf", "a number of seconds above 0"),
        ("kill_grace", "5", "a number of seconds above 0 and below 5"),
        ("child_env_allow", "A B", "names of environment variables, separated by commas"),
        ("notifiers", "a.B", "rules CLASS ARGUMENT:TYPE TEXT, separated by commas"),
        ("notifiers", "B conn:http text", "rules CLASS ARGUMENT:TYPE TEXT"),
        ("notifiers", "a.B conn:http text,", "rules CLASS ARGUMENT:TYPE TEXT"),
        ("queues", "gpu", "rules NEED: QUEUE, separated by commas, such as gpu: gpu_queue"),
        ("queues", "gpu: q, disk>=3: r", "rules NEED: QUEUE"),
        ("queues", "num_cpus: q", "rules NEED: QUEUE"),
        ("queues", "memory_mb>=16 GB: q", "rules NEED: QUEUE"),
        ("queues", "gpu: q,", "rules NEED: QUEUE"),
        ("cache_dir", "relative/path", "a path that begins with / or ~"),
        ("pickled_parameters", "sometimes", "True or False"),
    ],
)
def test_errors_name_all(monkeypatch: pytest.MonkeyPatch, option: str, text: str, allowed: str) -> None:
    set_option(monkeypatch, option, text)
    with pytest.raises(ConfigError) as caught:
        getattr(config, option)()
    message = str(caught.value)
    assert f"[aqueduct] {option} = {text!r}" in message
    assert f"AIRFLOW__AQUEDUCT__{option.upper()}" in message
    assert f"it must be {allowed}" in message


def reference() -> str:
    """The body of docs/configuration.md, as the provider info says it."""
    parts = []
    for name, option in OPTIONS.items():
        default = f"`{option['default']}`" if option["default"] else "empty"
        parts.append(
            f"## `{name}`\n\n{option['description']}\n\n"
            f"Type {option['type']}, default {default}, for example `{option['example']}`."
            f" Variable `AIRFLOW__AQUEDUCT__{name.upper()}`. Since {option['version_added']}.\n"
        )
    return "\n".join(parts)


def test_the_reference_is_complete() -> None:
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    body = page[re.search(r"^## ", page, re.MULTILINE).start() :]  # type: ignore[union-attr]
    assert body == reference()


@pytest.mark.parametrize(
    ("bundle", "stores"),
    [
        ({}, {("aqueduct_default", "specs")}),
        ({"connection_id": "team", "prefix": "flows/"}, {("team", "flows")}),
        ({"folder": "/specs"}, set()),
        (None, set()),
    ],
)
def test_the_stores_whose_specs_bundles_show(
    monkeypatch: pytest.MonkeyPatch, bundle: dict[str, str] | None, stores: set[tuple[str, str]]
) -> None:
    ours, other = "aqueduct_provider.bundles.AqueductDagBundle", "airflow.dag_processing.bundles.local.Local"
    bundles = [{"name": "b", "classpath": other if bundle is None else ours, "kwargs": bundle}]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
    assert config.stores_of_bundles() == stores


def test_options_that_do_not_exist_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    config.unknown_options.cache_clear()
    try:
        assert config.unknown_options() == ()
        config.unknown_options.cache_clear()
        for option in ("cache_dri", "qqqqqq"):
            set_option(monkeypatch, option, "secret-value")
        first, second = config.unknown_options()
    finally:
        config.unknown_options.cache_clear()
    assert first.startswith(
        "[aqueduct] cache_dri in airflow.cfg, or the variable AIRFLOW__AQUEDUCT__CACHE_DRI,"
    )
    assert first.endswith("is not an option and has no effect. Did you mean cache_dir?")
    assert second.endswith(
        "is not an option and has no effect. Remove it; docs/configuration.md has all of them."
    )
    assert "secret-value" not in first + second
