from __future__ import annotations

from pathlib import Path

import pytest

from tools.environments import ENVIRONMENTS
from tools.matrix import ENTRIES, LOWEST, PAGES, SMOKE, UNIT, Entry
from tools.supported import AIRFLOWS, PYTHONS

ROOT = Path(__file__).parents[3]


def versions(tests: tuple[str, ...]) -> set[str]:
    return {entry.version for entry in ENTRIES.values() if set(tests) <= set(entry.tests)}


def test_it_has_the_oldest_and_the_newest_python_and_one_between() -> None:
    assert versions(UNIT) <= set(PYTHONS)
    assert {PYTHONS[0], PYTHONS[-1]} < versions(UNIT)


def test_it_has_the_newest_release_of_each_line_of_airflow() -> None:
    newest = {release.rpartition(".")[0]: release for release in sorted(AIRFLOWS)}
    assert versions(SMOKE) == set(newest.values())


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entrys_environment_has_its_version(entry: Entry) -> None:
    environment = ENVIRONMENTS[entry.environment]
    pins = environment.constraints.read_text().splitlines()
    if entry.tests == UNIT:
        assert environment.pythons.startswith(f">={entry.version},")
    else:
        assert f"apache-airflow=={entry.version}" in pins


def test_the_tests_are_there() -> None:
    for test in (*UNIT, *SMOKE, *PAGES, *LOWEST):
        path, _, name = test.partition("::")
        assert (ROOT / path).exists()
        assert not name or f"def {name}(" in (ROOT / path).read_text("utf-8")
