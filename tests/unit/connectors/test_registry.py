"""Every connector has its module, its driver, and a sentence for when the driver is missing."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
import tomlkit

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.registry import CONNECTORS, Connector, connect, missing_driver
from aqueduct_provider.errors import DataSystemError, DriverMissing, is_retryable
from aqueduct_provider.spec.system_operators import SqlSystem

FILES = {"S3", "GCS"}
ROOT = Path(registry.__file__).parents[2]


def test_the_connectors_are_those_of_the_formats() -> None:
    assert set(CONNECTORS) == {*get_args(SqlSystem), "Athena", "MongoDB", *FILES}


@pytest.mark.parametrize("connector", CONNECTORS.values(), ids=lambda connector: connector.name)
def test_every_connector_is_there(connector: Connector) -> None:
    assert missing_driver(connector.name) == ""
    if connector.name in FILES:
        assert connector.module == ""
        return
    module = import_module(f"aqueduct_provider.connectors.{connector.module}.database")
    assert [*inspect.signature(module.connect).parameters] == ["connector", "config"]
    assert connector.connection_types


@pytest.mark.parametrize("connector", CONNECTORS.values(), ids=lambda connector: connector.name)
def test_every_extra_is_one_of_the_package(connector: Connector) -> None:
    extras = tomlkit.parse((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert connector.extra in (extras if connector.drivers else {""})


@pytest.mark.parametrize(
    ("drivers", "sentence"),
    [
        (("no_such_driver",), "SQLite needs no_such_driver, which is not installed in the Python of"),
        (
            ("json", "no_such.driver", "nor_this"),
            "SQLite needs no_such.driver and nor_this, which are not installed",
        ),
    ],
)
def test_a_missing_driver_is_one_sentence_with_its_command(
    monkeypatch: pytest.MonkeyPatch, drivers: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.setitem(CONNECTORS, "SQLite", replace(CONNECTORS["SQLite"], drivers=drivers))
    with pytest.raises(DriverMissing) as caught:
        connect("SQLite", {"database": "hunter2"})
    said = str(caught.value)
    assert said.startswith(sentence)
    assert said.endswith(f'in the Python of {sys.prefix}: pip install "airflow-provider-aqueduct[sqlite]".')
    assert isinstance(caught.value, DataSystemError)
    assert not is_retryable(caught.value)


def test_a_connection_is_opened(tmp_path: Path) -> None:
    database = connect("SQLite", {"database": str(tmp_path / "a.db")})
    assert "SQLite" in database.check()
    database.close()
