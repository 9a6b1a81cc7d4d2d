"""The demo with a script of its own, from its start to its end; the README's is run by other tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.demo.servers import processes_of
from tests.integration.stack import MAJOR

pytestmark = pytest.mark.skipif(MAJOR == 2, reason="the demo needs Airflow 3")

SCRIPT = """\
import os, pathlib
import aqueduct_provider.sdk as aq
client = aq.Client()
login = {"host": os.environ["AIRFLOW_HOST"], "username": "admin", "password": os.environ["AIRFLOW_PASSWORD"]}
client.connect_resource("demo", "Airflow", login)
print("flows:", len(client.list_flows()))
print("home:", pathlib.Path.cwd())
"""
PROGRAM = f"from aqueduct_provider.demo.tour import Tour; assert Tour({SCRIPT!r}).run()"


def test_the_demo_runs_a_script_and_leaves_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "flows: 0" in done.stdout
    assert "PASSED" in done.stdout
    assert "--keep" in done.stdout.splitlines()[-1]
    home = re.search(r"^home: (.*)$", done.stdout, re.MULTILINE)
    assert home
    assert not Path(home[1]).exists()
    assert not processes_of(home[1])
