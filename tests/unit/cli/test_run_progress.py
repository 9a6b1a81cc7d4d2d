"""Progress of a run here: lines where nothing can move, a live table in a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.cli.run_progress import shown
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.local.run_flow import LinePrinted, OperatorChanged
from aqueduct_provider.sdk.results.outcomes import OperatorRun
from tests.support.stored_flows import Flows, call

ROOT = Path(__file__).parents[3]
ONE = "def predict(): return 1"


def changed(task_id: str, status: str, tip: str = "") -> OperatorChanged:
    return OperatorChanged(OperatorRun("f", task_id, "function", ExecutionStatus(status), tip=tip))


def test_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = Flows(tmp_path).spec(call("f", ONE), call("g", ONE))
    twins = spec.model_copy(
        update={"operators": tuple(one.model_copy(update={"name": "f"}) for one in spec.operators)}
    )
    with shown(twins) as show:
        show(changed("f", "running"))
        show(LinePrinted("f (f)", "stdout", "[bold]" + "x" * 200))
        show(changed("f", "pending", "Not yet. It is tried again in 3 s."))
        show(changed("g", "canceled", "It was not run."))
    out, err = capsys.readouterr()
    assert out == ""
    # Two operators of one name are told apart, and long lines are not folded.
    assert err.splitlines() == [
        "f (f): running",
        "f (f) | [bold]" + "x" * 200,
        "f (f): pending: Not yet. It is tried again in 3 s.",
        "f (g): canceled: It was not run.",
    ]


IN_A_TERMINAL = """\
import json, sys
from pathlib import Path
from aqueduct_provider.cli.run_progress import shown
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.local.run_flow import LinePrinted, OperatorChanged
from aqueduct_provider.sdk.results.outcomes import OperatorRun
from aqueduct_provider.spec.loader import load

spec = load(Path(sys.argv[1]))
with shown(spec) as show:
    for operator in spec.operators:
        for status in ("running", "succeeded"):
            run = OperatorRun(operator.name, operator.task_id, "function", ExecutionStatus(status))
            show(OperatorChanged(run))
        show(LinePrinted(operator.name, "stdout", "said " + operator.name))
print("the end")
"""


def in_a_terminal(spec_file: Path) -> str:
    """What is written to a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    process = subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, str(spec_file)],
        cwd=ROOT,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    try:
        while block := os.read(ours, 4096):
            written += block
    except OSError:  # The last process that had it open has ended.
        pass
    os.close(ours)
    assert process.wait(60) == 0, written.decode()
    return written.decode()


@pytest.mark.parametrize("count", [2, 25])
def test_a_terminal(count: int, tmp_path: Path) -> None:
    spec = Flows(tmp_path / "store").spec(*(call(f"op{number}", ONE) for number in range(count)))
    file = tmp_path / "spec.json"
    file.write_text(spec.model_dump_json(), "utf-8")
    written = in_a_terminal(file)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written)
    assert plain != written
    for number in range(count):
        assert f"op{number} | said op{number}" in plain
    # The table is not left behind.
    assert plain.rstrip().endswith("the end")
    if count > 20:
        # A long table would not fit: only what runs is shown.
        assert not re.search(r"op3 +function +pending", plain)
    else:
        assert re.search(r"op1 +function +(pending|running|succeeded)", plain)
