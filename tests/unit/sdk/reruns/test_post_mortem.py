"""Debuggers at the user's frame: pdb at a real terminal, and that of IPython."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.sdk.reruns.post_mortem import post_mortem, stopping_at_failure

ROOT = Path(__file__).parents[4]
USER = """
import json
from aqueduct_provider.sdk.reruns.post_mortem import stopping_at_failure

def train(text):
    wanted = len(text)
    return json.loads(text)

stopping_at_failure(train)("{nonsense")
"""
IPYTHON = "from IPython.core.interactiveshell import InteractiveShell as S; S.instance()\n"


def talk(script: Path, *commands: str) -> str:
    """Run a script at a terminal, type commands, and return what the terminal shows."""
    parent, child = pty.openpty()
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, str(script)], stdin=child, stdout=child, stderr=child, env=variables, close_fds=True
    )
    os.close(child)
    os.write(parent, "".join(f"{command}\n" for command in commands).encode())
    shown = b""
    while True:
        try:
            data = os.read(parent, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    process.wait()
    os.close(parent)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


def test_pdb_stops_at_the_users_line_and_not_in_the_library(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(USER)
    shown = talk(script, "p 'wanted', wanted", "list", "down", "q")
    assert re.search(r"script\.py\(7\)train\(\)\s+-> return json\.loads\(text\)", shown)
    assert "('wanted', 9)" in shown
    assert re.search(r"6 *\t *wanted = len\(text\)", shown), "list shows the source"
    assert re.search(r"json/__init__\.py\(\d+\)loads\(\)", shown), "down goes into the library"
    assert shown.rstrip().splitlines()[-1].startswith("json.decoder.JSONDecodeError"), "the error goes on"


def test_ipython_uses_its_own_debugger(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    script = tmp_path / "script.py"
    script.write_text(IPYTHON + USER)
    shown = talk(script, "p 'wanted', wanted", "q")
    assert "ipdb>" in shown
    assert re.search(r"script\.py\(8\)train\(\)", shown)
    assert "('wanted', 9)" in shown


def test_an_error_without_a_frame_of_the_user_stops_nowhere() -> None:
    post_mortem(ValueError("never raised"))


def test_where_no_input_is_taken_the_error_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError("raw_input was called, but this frontend does not support input requests.")

    monkeypatch.setattr("pdb.Pdb.cmdloop", refuse)
    with pytest.raises(ValueError, match="invalid literal"):
        stopping_at_failure(lambda text: int(text))("x")
    assert "The debugger cannot be used here: raw_input was called" in caplog.text


def test_what_succeeds_is_returned() -> None:
    assert stopping_at_failure(max)(1, 2) == 2
