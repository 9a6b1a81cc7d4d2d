"""The tables of ``docs/data-systems.md`` have what the systems declare."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aqueduct_provider.connectors.registry import built_in
from aqueduct_provider.connectors.system import DataSystem

PAGE = (Path(__file__).parents[3] / "docs" / "data-systems.md").read_text("utf-8")
SYSTEMS = pytest.mark.parametrize("system", built_in().values(), ids=lambda system: system.name)


def rows(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, without its first two lines."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_extra_has_its_reason() -> None:
    named = [extra for row in rows("Drivers") for extra in re.findall("`(.+?)`", row[0])]
    assert sorted(named) == sorted({system.extra for system in built_in().values()} - {""})


@SYSTEMS
def test_every_system_has_its_type_of_connection(system: DataSystem) -> None:
    (row,) = (row for row in rows("Connections") if system.name in row[0].split(", "))
    assert f"`{system.connection_types[0]}`" in row[1]


@SYSTEMS
def test_every_system_has_its_page(system: DataSystem) -> None:
    page = system.package.rpartition(".")[2] or system.name.lower()
    assert system.name == "S3" or f"(data-systems/{page}.md)" in PAGE
