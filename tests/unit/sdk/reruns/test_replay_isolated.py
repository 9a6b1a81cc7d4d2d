"""Replays in the operator's own environment, which uv builds; its requirements need no index."""

from __future__ import annotations

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import OperatorFailed
from tests.support.deployment import Deployment
from tests.unit.sdk.conftest import forgotten_with_requirement

pytestmark = pytest.mark.slow


@aq.op(requirements=[], outputs=["twice", "python"])
def twice(rows: int) -> tuple[int, str]:
    import sys

    print("rows are", rows)
    return 10 // rows, sys.prefix


@aq.check(requirements=[], severity="error")
def is_small(twice: int) -> bool:
    return twice < 3


@pytest.fixture
def run(made: Deployment) -> aq.Run:
    both = twice(made.client.create_param("rows", 2))
    is_small.lazy(both[0])
    made.publish(artifacts=both)
    return made.run(rows=2)


def test_the_operator_runs_in_another_python(run: aq.Run, capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    capsys.readouterr()
    before = [(one.key, one.tag) for one in run.session.store.entries("flows/")]
    value, python = run.replay("twice", isolated=True)
    assert value == 5
    assert python != sys.prefix
    assert "rows are 2" in capsys.readouterr().out
    assert [(one.key, one.tag) for one in run.session.store.entries("flows/")] == before


def test_a_check_that_does_not_pass_is_a_value(run: aq.Run) -> None:
    assert run.replay("is_small", isolated=True) is False


def test_a_corrected_function_and_one_that_fails(run: aq.Run) -> None:
    def corrected(rows: int) -> tuple[int, str]:
        return rows, "other"

    def fails(rows: int) -> tuple[int, str]:
        return rows // 0, ""

    assert run.replay("twice", function=corrected, isolated=True) == (2, "other")
    with pytest.raises(OperatorFailed) as caught:
        run.replay("twice", function=fails, isolated=True)
    message = str(caught.value)
    assert message.startswith("'twice' failed. Error in the function: ZeroDivisionError")
    assert "in fails\n" in message


def test_a_function_with_requirements_of_its_own_installs_no_others(made: Deployment) -> None:
    run = forgotten_with_requirement(made, "evil @ http://127.0.0.1:9/evil-1.tar.gz")

    @aq.op(requirements=[])
    def mine(total: int) -> bool:
        return total > 2

    assert run.replay("many", function=mine, isolated=True) is True
