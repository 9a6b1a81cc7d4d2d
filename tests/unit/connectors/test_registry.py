"""Every system has its module, its driver, and a sentence for when the driver is missing."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest
import tomlkit

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.registry import built_in, connect, find_typed, missing_driver
from aqueduct_provider.connectors.system import DataSystem
from aqueduct_provider.errors import ConfigError, DataSystemError, DriverMissing, SpecError, is_retryable
from aqueduct_provider.spec.loader import parse
from tests.support.example_specs import native_document, operator

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


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install packages that register a module each, with this text; forgotten at the end."""
    monkeypatch.syspath_prepend(tmp_path)

    def add(**modules: str) -> None:
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(f"{_IMPORTS}\n{text}\n")
            metadata = tmp_path / f"{name}-1.dist-info"
            metadata.mkdir()
            (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
            (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\nany = {name}\n")
        invalidate_caches()
        registry._others.cache_clear()

    yield add
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)
    registry._others.cache_clear()


_IMPORTS = """
from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.system import DataSystem
def system(name, **options):
    return DataSystem(name, __name__, dialect=Dialect(name), **options)
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise ValueError('no\\nmore')", "declares no data systems: ValueError: no"),
        ("raise SystemExit", "declares no data systems: SystemExit"),
        ("import no_such_module", "declares no data systems: ModuleNotFoundError: No module named"),
        ("SYSTEMS = [system(7)]", "declares a data system that cannot be used: its name is 7"),
        ("SYSTEMS = [system('D', aliases='duck')]", "declares a data system that cannot be used: aliases of"),
    ],
)
def test_a_broken_package_harms_no_other(install: Install, text: str, said: str) -> None:
    install(broken=text, sound="SYSTEMS = [system('Sound', aliases=('good one',))]")
    assert registry.get("Sound") is find_typed("Good One")
    assert registry.find("Broken") is None
    (problem,) = registry.problems()
    assert problem.startswith(f"The entry point any = 'broken' of broken {said}")
    with pytest.raises(ConfigError) as caught:
        registry.get("Broken")
    assert str(caught.value).endswith(f"here and where tasks run. {problem}")
    document = native_document()
    source = {"connector": "Broken", "connection_id": "b", "query": "SELECT 1"}
    document["operators"].append(operator("read", "extract", source=source))
    with pytest.raises(SpecError) as refused:
        parse(json.dumps(document).encode(), "flow.json")
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    "system", ["'Postgres'", "'postgres'", "'P', aliases=('my-sql',)", "'mariadb'", "'Airflow'"]
)
def test_no_package_takes_the_name_of_a_built_in_system(install: Install, system: str) -> None:
    install(thief=f"SYSTEMS = [system({system}), system('Sound')]")
    assert list(registry.registered()) == ["Sound"]
    (problem,) = registry.problems()
    assert re.fullmatch(
        r"The entry point any = 'thief' of thief declares the data system '\S+', whose name or alias another "
        r"one has\. Give it another name, or uninstall one of the packages\.",
        problem,
    )


def test_of_two_packages_with_one_name_neither_is_taken(install: Install) -> None:
    install(
        one="SYSTEMS = [system('Duck'), system('Sound')]",
        two="SYSTEMS = [system('Bird', aliases=('duck',))]",
        same="from one import SYSTEMS",
    )
    assert list(registry.registered()) == ["Sound"]
    assert len(registry.problems()) == 2
    with pytest.raises(ConfigError) as caught:
        registry.get("Duck")
    assert all(problem in str(caught.value) for problem in registry.problems())


def test_a_connection_is_opened(tmp_path: Path) -> None:
    database = connect("SQLite", {"database": str(tmp_path / "a.db")})
    assert "SQLite" in database.check()
    database.close()
