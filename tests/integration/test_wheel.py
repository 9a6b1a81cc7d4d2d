"""The wheel in a Python without Airflow, as data scientists have it: from there to runs on a real Airflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.stack import MAJOR, SHOWN_ELSEWHERE
from tests.support.code_blocks import python_blocks
from tools.environments import ENVIRONMENTS, index_settings, run_uv

ROOT = Path(__file__).parents[2]
# The versions of the tests' own environment are in uv's cache already.
CONSTRAINTS = ENVIRONMENTS["airflow-3" if MAJOR == 3 else "airflow-2.11"].constraints
SECONDS = 300


@dataclass(frozen=True)
class Machine:
    """A data scientist's: a Python with the wheel, and a folder to work in."""

    bin: Path
    folder: Path
    variables: dict[str, str]

    def run(self, *command: str, code: int = 0) -> str:
        """What a program of this Python prints; on stderr where it is to fail.

        :param code: the exit code that it must have.
        """
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return done.stderr if code else done.stdout


@pytest.fixture(scope="module")
def machine(wheel: Path, sdk_variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The wheel with all that the README's script needs, and no Airflow."""
    home = tmp_path_factory.mktemp("scientist")
    venv = home / "venv"
    run_uv("venv", "--python", sys.executable, str(venv))
    options = ("--python", str(venv / "bin" / "python"), "--constraint", str(CONSTRAINTS))
    run_uv("pip", "install", *options, f"{wheel}[tables,images]", "scikit-learn")
    (home / "work").mkdir()
    foreign = ("PYTHONPATH", "AIRFLOW", "VIRTUAL_ENV")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    variables = {**own, **index_settings(), **sdk_variables, "AQUEDUCT_CONFIG": str(home / "config.toml")}
    return Machine(venv / "bin", home / "work", variables)


def test_the_wheel_brings_no_airflow(machine: Machine) -> None:
    python = str(machine.bin / "python")
    listed = json.loads(run_uv("pip", "list", "--quiet", "--format", "json", "--python", python))
    names = {package["name"] for package in listed}
    assert "airflow-provider-aqueduct" in names
    assert not {name for name in names if name.startswith("apache-airflow")}


@pytest.mark.parametrize("name", ["DagFactory", "AqueductOperator", "AqueductHook"])
def test_what_needs_airflow_says_so_in_one_sentence(machine: Machine, name: str) -> None:
    error = machine.run("python", "-c", f"from aqueduct_provider import {name}", code=1)
    assert "ModuleNotFoundError" not in error
    assert 'pip install "airflow-provider-aqueduct[airflow]"' in error.splitlines()[-1]


@SHOWN_ELSEWHERE
def test_the_script_of_the_readme_and_then_the_terminal(machine: Machine) -> None:
    script = machine.folder / "quickstart.py"
    text = "\n".join(python_blocks(ROOT / "README.md"))
    script.write_text(text.replace('engine="demo",', 'engine="demo", spec_file=True,'), "utf-8")
    assert "good enough: True" in machine.run("python", script.name)

    def listed(*command: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(machine.run("aqueduct-airflow", *command, "--json"))
        return found

    assert "wine quality" in [flow["name"] for flow in listed("flows")]
    assert "current" in machine.run("aqueduct-airflow", "status", "wine quality")
    machine.run("aqueduct-airflow", "trigger", "wine quality", "-p", "trees=5", "--wait", "--timeout", "240")
    newest = listed("runs", "wine quality")[0]
    assert newest["status"] == "succeeded"
    assert "train" in machine.run("aqueduct-airflow", "show", "wine quality", str(newest["run_id"]))
    assert float(machine.run("aqueduct-airflow", "artifact", "wine quality", "latest", "accuracy")) > 0.5
    machine.run("aqueduct-airflow", "logs", "wine quality", "latest", "train")

    spec = "wine_quality_airflow.json"
    assert "with problems: 0" in machine.run("aqueduct-airflow", "lint", spec)
    assert "cannot be resolved: 0" in machine.run("aqueduct-airflow", "check", spec)
    assert "run here: succeeded" in machine.run("aqueduct-airflow", "run", spec, "--run-id", "here")
    assert "demo" in machine.run("aqueduct-airflow", "resources")
    assert "accepts" in machine.run("aqueduct-airflow", "test", "demo")
    (machine.folder / "dags").mkdir()
    assert "wrote" in machine.run("aqueduct-airflow", "init", "dags")
    machine.run("aqueduct-airflow", "delete", "wine quality", "--force")
