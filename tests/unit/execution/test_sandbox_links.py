"""Links that code in a sandbox leaves where the worker might look: none is followed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import OperatorFailed
from aqueduct_provider.execution.sandbox import find_sandbox
from tests.support.flow_runs import LocalRun
from tests.unit.execution.conftest import Desk

Function = Callable[..., dict[str, Any]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "airflow-home"
    home.mkdir()
    (home / "airflow.cfg").write_text("planted")
    return home


def linking(home: Path, body: str) -> str:
    """Return a function that puts links to a folder at all names that the worker might use."""
    return (
        "import os, pathlib, time\n"
        "def predict(*_):\n"
        "    for name in ('sandbox-tmp', 'sandbox-etc', 'tmp', 'etc', '0', '1'):\n"
        "        path = pathlib.Path(os.environ['AQUEDUCT_JOB'], name)\n"
        "        try:\n"
        "            if path.exists():\n"
        "                path.rename(path.with_name(name + '-before'))\n"
        f"            path.symlink_to({str(home)!r})\n"
        "        except PermissionError:\n"
        "            pass\n"
        f"    {body}"
    )


def test_no_link_of_one_operator_shows_the_next_what_is_outside(
    desk: Desk, function: Function, home: Path
) -> None:
    look = "import os\ndef predict(*_): return [os.listdir('/tmp'), os.path.exists('/tmp/airflow.cfg')]"
    first = function(
        linking(home, "os.kill(os.getppid(), 9); time.sleep(600)"), task_id="a", outputs=["a"], fuse="g"
    )
    second = function(look, task_id="b", outputs=["b"], fuse="g")
    sandbox = find_sandbox(network=True, hidden=[home])
    run = LocalRun(desk.flow(first, second, types={"b": "list"}), desk.store, desk.folder, sandbox=sandbox)
    with pytest.raises(OperatorFailed, match="SIGKILL"):
        run.group("g").run()
    shown, is_there = json.loads(desk.content("b"))
    assert "airflow.cfg" not in shown
    assert not is_there
    assert [path.name for path in home.iterdir()] == ["airflow.cfg"]


def test_no_link_of_an_operator_takes_its_output_elsewhere(
    desk: Desk, function: Function, home: Path
) -> None:
    """The worker keeps what the next operator reads."""
    first = function(linking(home, "return 'evil'"), task_id="a", outputs=["a"], fuse="g")
    second = function("def predict(x): return x", task_id="b", inputs=["a"], outputs=["b"], fuse="g")
    sandbox = find_sandbox(network=True, hidden=[home])
    flow = desk.flow(first, second, types={"a": "string", "b": "string"})
    LocalRun(flow, desk.store, desk.folder, sandbox=sandbox).group("g").run()
    assert desk.content("b") == b"evil"
    assert [path.name for path in home.iterdir()] == ["airflow.cfg"]
