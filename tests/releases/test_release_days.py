"""The wheel next to each supported Airflow, with the versions of all else that were out on its day."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.example_specs import native_document
from tools.environments import run_uv
from tools.release_days import PYTHON, constraints
from tools.supported import AIRFLOWS

# The others are resolved only: an environment takes half a minute.
INSTALLED = ("2.11.2", "3.0.6", "3.3.2")
LOADER = """\
from aqueduct_provider import DagFactory  # airflow dag

globals().update(DagFactory.dags_in(__file__))
"""
# What Airflow does at start-up and when it parses: prints what it found.
LOOK = """\
import json, sys
from airflow.providers_manager import ProvidersManager
from aqueduct_provider import AqueductHook, AqueductOperator, compat

names = set(compat.PLACES)
if not compat.AIRFLOW_V_3_0_PLUS:
    names -= {"BaseDagBundle", "get_bundle_tracking_dir"}
else:
    from aqueduct_provider.bundles import AqueductDagBundle
for name in names:
    getattr(compat, name)
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag
bag = DagBag(sys.argv[1])
hook = ProvidersManager().hooks["aqueduct"]
print(json.dumps([sorted(bag.dags), bag.import_errors, hook.hook_class_name]))
"""


@pytest.mark.parametrize("version", AIRFLOWS)
def test_the_constraints_are_versions_of_that_airflow_only(version: str) -> None:
    lines = constraints(version).read_text().splitlines()
    assert f"apache-airflow=={version}" in lines
    assert [line for line in lines if "==" not in line or "/" in line or "@" in line] == []


@pytest.mark.parametrize("version", AIRFLOWS)
def test_it_can_be_installed_under_these_constraints(version: str, wheel: Path, tmp_path: Path) -> None:
    wanted = tmp_path / "requirements.in"
    package = f"airflow-provider-aqueduct[airflow,tables,images] @ {wheel.as_uri()}"
    wanted.write_text(f"apache-airflow=={version}\n{package}\n")
    options = ("--quiet", "--no-annotate", "--no-header", "--python-version", PYTHON)
    found = run_uv("pip", "compile", *options, "--constraint", str(constraints(version)), str(wanted))
    pins = {pin for pin in found.splitlines() if not pin.startswith("airflow-provider-aqueduct")}
    assert f"apache-airflow=={version}" in pins
    assert pins <= set(constraints(version).read_text().splitlines())


@pytest.mark.parametrize("version", INSTALLED)
def test_it_moves_no_airflow_and_shows_its_flows(version: str, wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    run_uv("venv", "--python", PYTHON, str(tmp_path / "venv"))
    install = ("pip", "install", "--python", str(python))
    run_uv(*install, "--constraint", str(constraints(version)), f"apache-airflow=={version}")
    before = installed(python)
    # Without constraints: Airflow is to stay as it is even so.
    run_uv(*install, str(wheel))
    assert installed(python) == before

    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "aqueduct_dags.py").write_text(LOADER)
    (dags / "churn.json").write_text(json.dumps(native_document()))
    foreign = ("AIRFLOW", "PYTHONPATH")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(
        [python, "-c", LOOK, dags],
        cwd=tmp_path,
        env={**own, "AIRFLOW_HOME": str(tmp_path / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    hook = "aqueduct_provider.hooks.aqueduct.AqueductHook"
    assert json.loads(done.stdout.splitlines()[-1]) == [["churn"], {}, hook]


def installed(python: Path) -> dict[str, str]:
    """The versions of Airflow and its providers, by name."""
    listed = json.loads(run_uv("pip", "list", "--quiet", "--format", "json", "--python", str(python)))
    found = {package["name"]: package["version"] for package in listed}
    return {name: version for name, version in found.items() if name.startswith("apache-airflow")}
