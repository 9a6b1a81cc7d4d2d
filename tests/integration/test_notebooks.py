"""The notebooks of docs/: clean as they are stored, and each cell runs and shows what it is there to show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.integration.stack import SHOWN_ELSEWHERE

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 240


def read(name: str) -> Any:
    notebook = nbformat.read(FOLDER / name, as_version=4)
    nbformat.validate(notebook)
    return notebook


def run(name: str, folder: Path, variables: dict[str, str]) -> Any:
    """The notebook with its outputs, from a kernel of this Python.

    In a process of its own: the Jupyter stack leaves its sockets to the garbage collector, which warns.
    """
    environment = {
        **os.environ,
        **variables,
        "AQUEDUCT_CONFIG": str(folder / "config.toml"),
        # Neither kernels nor start-up files of the user.
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    copy = folder / name
    copy.write_bytes((FOLDER / name).read_bytes())
    program = "from nbclient.cli import main; main()"
    command = [sys.executable, "-c", program, copy.name, "--inplace", f"--timeout={SECONDS}"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=2 * SECONDS
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return nbformat.read(copy, as_version=4)


def shown(notebook: Any, media: str) -> str:
    """All outputs of this media type."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(output.data[media] for output in outputs if media in output.get("data", {}))


def printed(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_stored_clean(path: Path) -> None:
    notebook = read(path.name)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert not [cell.id for cell in code if cell.outputs or cell.execution_count]
    assert not [cell.id for cell in code if cell.metadata not in ({}, {"tags": ["raises-exception"]})]


def test_authoring_shows_artifacts_without_airflow(tmp_path: Path) -> None:
    variables = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    notebook = run("authoring.ipynb", tmp_path, variables)
    html = shown(notebook, "text/html")
    assert "14 rows x 3 columns" in html
    assert "lost to rain" in html
    assert "greater than 150" in html
    assert 'src="data:image/png;base64,' in html
    assert "not computed yet" in html
    assert "ZeroDivisionError" in printed(notebook)


@SHOWN_ELSEWHERE
def test_publish_and_read_shows_the_graph_and_the_run(tmp_path: Path, sdk_variables: dict[str, str]) -> None:
    notebook = run("publish-and-read.ipynb", tmp_path, sdk_variables)
    html = shown(notebook, "text/html")
    assert html.count("<svg") >= 2
    assert "succeeded" in html
    assert "rides_a_day" in html
    # The two runs of the metric's history, newest first.
    assert re.search(r"succeeded.*230\.0.*succeeded.*232\.0", html.rpartition("run_id")[2], re.DOTALL)
    assert "Deleted 'bicycles'" in printed(notebook)


@SHOWN_ELSEWHERE
def test_what_changed_ends_in_the_users_line(tmp_path: Path, sdk_variables: dict[str, str]) -> None:
    notebook = run("what-changed.ipynb", tmp_path, sdk_variables)
    found = shown(notebook, "text/html")
    assert re.search(r"rides_a_day.*busy = rides\[rides", found, re.DOTALL)
    errors = [output for cell in notebook.cells for output in cell.get("outputs", []) if "ename" in output]
    assert [(error.ename, error.evalue) for error in errors] == [("ZeroDivisionError", "division by zero")]
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(errors[0].traceback))
    assert "return int(busy[" in trace
    assert "aqueduct_provider" not in trace
    assert "Deleted 'lent'" in printed(notebook)
