"""Every data system that is declared is tested, here or elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.connectors.registry import built_in
from tests.connectors.system_servers import ELSEWHERE, RUN_HERE, run_here

ROOT = Path(__file__).parents[2]


def test_every_declared_system_has_a_test_server_or_tests_against_a_stand_in() -> None:
    assert set(run_here(built_in())) == set(RUN_HERE)
    assert set(RUN_HERE) | set(ELSEWHERE) == set(built_in())


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_tests_elsewhere_are_there(name: str) -> None:
    assert (ROOT / ELSEWHERE[name]).is_file()


def test_a_system_without_a_test_server_is_reported() -> None:
    with pytest.raises(LookupError, match="'Oracle' is declared and has no test server"):
        run_here([*built_in(), "Oracle"])
