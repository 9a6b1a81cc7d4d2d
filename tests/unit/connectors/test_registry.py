"""Every system has its module, its driver, and a sentence for when the driver is missing."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import tomlkit

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.registry import built_in, connect, find_typed, missing_driver
from aqueduct_provider.connectors.system import DataSystem
from aqueduct_provider.errors import ConfigError, DataSystemError, DriverMissing, is_retryable

ROOT = Path(registry.__file__).parents[2]
SYSTEMS = pytest.mark.parametrize("system", built_in().values(), ids=lambda system: system.name)


def test_the_systems_are_those_of_the_formats() -> None:
    assert set(built_in()) == {
        *("Athena", "AzureSQL", "BigQuery", "GCS", "MariaDB", "MongoDB", "MySQL", "Postgres", "Redshift"),
        *("S3", "SQL Server", "SQLite", "Snowflake"),
    }


@SYSTEMS
def test_every_system_is_there(system: DataSystem) -> None:
    assert missing_driver(system.name) == ""
    assert system.connection_types
    assert bool(system.package) == (system.family != "files")
    if system.package:
        module = import_module(f"{system.package}.database")
        assert [*inspect.signature(module.connect).parameters] == ["connector", "config"]


@SYSTEMS
def test_every_extra_is_one_of_the_package(system: DataSystem) -> None:
    extras = tomlkit.parse((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert system.extra in (extras if system.drivers else {""})


@SYSTEMS
def test_bounds_of_drivers_are_those_of_the_extra(system: DataSystem) -> None:
    extras = tomlkit.parse((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for driver, bound in system.below.items():
        assert any(line.startswith(driver) and line.endswith(f"<{bound}") for line in extras[system.extra])


def test_declarations_import_nothing_heavy() -> None:
    code = """
import sys
before = set(sys.modules)
from aqueduct_provider.connectors import registry
registry.built_in()
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*new - set(sys.stdlib_module_names), "importlib.metadata" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["aqueduct_provider", "False"]


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
    monkeypatch.setitem(built_in(), "SQLite", replace(built_in()["SQLite"], drivers=drivers))
    with pytest.raises(DriverMissing) as caught:
        connect("SQLite", {"database": "hunter2"})
    said = str(caught.value)
    assert said.startswith(sentence)
    assert said.endswith(f'in the Python of {sys.prefix}: pip install "airflow-provider-aqueduct[sqlite]".')
    assert isinstance(caught.value, DataSystemError)
    assert not is_retryable(caught.value)


@pytest.mark.parametrize(("below", "is_refused"), [({"pyarrow": "1"}, True), ({"pyarrow": "9999"}, False)])
def test_a_driver_that_is_too_new_is_named(
    monkeypatch: pytest.MonkeyPatch, below: Mapping[str, str], is_refused: bool
) -> None:
    monkeypatch.setitem(built_in(), "SQLite", replace(built_in()["SQLite"], below=below))
    assert missing_driver("SQLite").startswith("SQLite needs pyarrow below version 1, and ") is is_refused


@pytest.mark.parametrize("system", ["", "Salesforce", "sql"])
def test_a_system_that_no_package_has(system: str) -> None:
    assert registry.find(system) is None
    assert find_typed(system) is None
    with pytest.raises(ConfigError, match=r"No data system is named .*; installed are Athena, AzureSQL, .*"):
        registry.get(system)


def test_a_connection_is_opened(tmp_path: Path) -> None:
    database = connect("SQLite", {"database": str(tmp_path / "a.db")})
    assert "SQLite" in database.check()
    database.close()
