from __future__ import annotations

import io
import re

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import OperatorFailed
from tests.support.deployment import Deployment
from tests.unit.sdk.conftest import Finished


def test_the_debugger_stops_at_the_published_line(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("p rows\nlist\nq\n"))
    with pytest.raises(ValueError, match="must not be negative"):
        finished.bad.replay("features", debug=True)
    shown = capsys.readouterr().out
    assert "(Pdb) -1\n" in shown
    assert re.search(r"->\s+raise ValueError\(\"rows must not be negative\"\)", shown)


def test_the_debugger_stops_in_a_corrected_function(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def corrected(rows: int) -> int:
        wanted = rows * 2
        return 1 // (wanted - wanted)

    monkeypatch.setattr("sys.stdin", io.StringIO("p wanted\nq\n"))
    with pytest.raises(ZeroDivisionError):
        finished.bad.replay("features", function=corrected, debug=True)
    assert "(Pdb) -2\n" in capsys.readouterr().out


def test_an_error_keeps_what_the_user_made_it_of(made: Deployment) -> None:
    @aq.op(requirements=[], outputs=["found"])
    def finds(rows: int) -> int:
        try:
            return [1][rows]
        except IndexError as error:
            raise LookupError("no such row") from error

    made.publish(artifacts=[finds.lazy(made.client.create_param("rows", 4))])
    with pytest.raises(LookupError, match="no such row") as caught:
        made.run().replay("finds")
    assert isinstance(caught.value.__cause__, IndexError)


def test_code_that_ends_the_process_ends_the_replay(made: Deployment) -> None:
    @aq.op(requirements=[], outputs=["found"])
    def leaves(rows: int) -> int:
        raise SystemExit(3)

    made.publish(artifacts=[leaves.lazy(made.client.create_param("rows", 4))])
    with pytest.raises(OperatorFailed, match="ended the process itself"):
        made.run().replay("leaves")


def test_fused_operators_are_replayed_one_by_one(made: Deployment) -> None:
    """What a group that failed has written is vouched for by the task that failed."""

    @aq.op(requirements=[], outputs=["doubled"], fuse="group")
    def doubles(rows: int) -> int:
        return 2 * rows

    @aq.op(requirements=[], outputs=["inverse"], fuse="group")
    def inverts(doubled: int) -> float:
        return 1 / doubled

    rows = made.client.create_param("rows", 1)
    made.publish(artifacts=[inverts(doubles(rows))])
    run = made.run(rows=0)
    assert run.replay("doubles") == 0
    with pytest.raises(ZeroDivisionError):
        run.replay("inverts")
