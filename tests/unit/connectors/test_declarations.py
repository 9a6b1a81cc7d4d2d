"""A mistake in a package of another project is one message with the package, the place and the remedy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.declarations import declared_systems, word_of
from aqueduct_provider.connectors.registry import GROUP, connect
from aqueduct_provider.errors import ConfigError, DataSystemError, StatementRefused

SYSTEM = """
from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.system import DataSystem
DIALECT = Dialect("Tiny")
"""
DECLARED = f"{SYSTEM}SYSTEMS = (DataSystem('Tiny', __package__, secrets=(), dialect=DIALECT),)\n"
DATABASE = """
class Database:
    def check(self): return "here"
    def close(self): ...
    def read(self, statement): ...
    def tables(self): return []
    def write(self, data, load): ...

def connect(connector, config):
    return Database()
"""
Package = Callable[..., EntryPoint]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Write a package with a data system; return its entry point, which the registry finds."""
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("tiny_system", "tiny_system.system", "tiny_system.database"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    folder = tmp_path / "tiny_system"
    folder.mkdir()
    (folder / "__init__.py").touch()

    def write(system: str = DECLARED, database: str | None = DATABASE) -> EntryPoint:
        (folder / "system.py").write_text(system)
        if database is not None:
            (folder / "database.py").write_text(database)
        entry = EntryPoint("tiny", "tiny_system.system", GROUP)
        monkeypatch.setattr(registry, "registered", lambda: {"Tiny": declared_systems(entry)[0]})
        return entry

    return write


def test_what_is_right_is_declared_and_opened(package: Package) -> None:
    (system,) = declared_systems(package())
    assert system.name == "Tiny"
    assert connect("Tiny", {}).check() == "here"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def (", "SyntaxError: "),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", r"ZeroDivisionError: division by zero \(.*tiny_system.system\.py, line 1\)"),
        ("SYSTEM = ()", r"AttributeError: .* has no attribute 'SYSTEMS'"),
        ("SYSTEMS = 3", "TypeError: 'int' object is not iterable"),
        (DECLARED.replace("secrets", "secret"), "TypeError: .* unexpected keyword argument 'secret'"),
        ("SYSTEMS = ('Tiny',)", "SYSTEMS holds 'Tiny', which is not a DataSystem"),
        (DECLARED.replace("'Tiny'", "''"), "its name is '', and must have letters or digits"),
        (DECLARED.replace("__package__", "''"), "'Tiny' has no package, which must be the one"),
        (DECLARED.replace("secrets=()", "family='sqll'"), "'Tiny' is of the family 'sqll'"),
        (DECLARED.replace(", dialect=DIALECT", ""), "'Tiny' has no dialect"),
        (
            DECLARED.replace("secrets=()", "needed=('database')"),
            r"needed of 'Tiny' must be a tuple, such as \('database',\)",
        ),
    ],
)
def test_a_wrong_declaration_names_its_package(package: Package, source: str, message: str) -> None:
    entry = package(source)
    with pytest.raises(ConfigError, match=message) as caught:
        declared_systems(entry)
    assert str(caught.value).startswith("The entry point tiny = 'tiny_system.system' of ")


@pytest.mark.parametrize(
    ("database", "message"),
    [
        (None, "ModuleNotFoundError: No module named 'tiny_system.database'"),
        (DATABASE.replace("def connect", "def conect"), "has no attribute 'connect'"),
        (DATABASE.replace("connector, config", "config"), "positional argument"),
        (DATABASE.replace("return Database()", "return None"), "a NoneType, has no method "),
        (
            DATABASE.replace("def check", "def chek").replace("def tables", "def tabels"),
            "a Database, has no method check and no tables",
        ),
        (
            DATABASE.replace("return Database()", "raise OSError('gone')"),
            r"OSError: gone \(.*database\.py, line 10\)",
        ),
    ],
)
def test_a_wrong_connection_names_its_package(package: Package, database: str | None, message: str) -> None:
    package(database=database)
    with pytest.raises(DataSystemError, match=message) as caught:
        connect("Tiny", {})
    assert "The package of the data system 'Tiny'" in str(caught.value)


def test_what_a_package_reports_itself_stays_as_it_is(package: Package) -> None:
    raised = "from aqueduct_provider.errors import StatementRefused\n    raise StatementRefused('as it is')"
    package(database=DATABASE.replace("return Database()", raised))
    with pytest.raises(StatementRefused, match=r"^as it is$"):
        connect("Tiny", {})


@pytest.mark.parametrize(("name", "word"), [("SQL Server", "sqlserver"), ("Duck-DB 2", "duckdb2"), ("é", "")])
def test_how_names_are_compared(name: str, word: Any) -> None:
    assert word_of(name) == word
