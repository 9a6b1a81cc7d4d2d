"""Tracebacks as users see them: in a script, under pytest and in a notebook."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.user_projects import ROOT

FLOW = """\
import sys
import aqueduct_provider.sdk as aq

@aq.op(requirements=[])
def features(rows):
    return helper(rows)

def helper(rows):
    raise ValueError(f"no rows: {rows}")

client = aq.Client(folder="store", config_path="config.toml")
"""
LINE = len(FLOW.splitlines()) + 1

# The line of a user -> the frames that are shown, the error, and what else is shown.
MISTAKES = {
    "features(lines=3)": "AuthoringError: 'features' takes no argument 'lines' by name. There are: 'rows'.",
    "features.lazy(lines=3)": (
        "AuthoringError: 'features' takes no argument 'lines' by name. There are: 'rows'."
    ),
    "bool(features.lazy(3))": "AuthoringError: <GenericArtifact 'features artifact': untyped> is an",
    "a, b = features.lazy(3)": "AuthoringError: <GenericArtifact 'features artifact': untyped> is one",
    "aq.op(name=3)(print)": "AuthoringError: @op 'print': name must be text, not int.",
    "aq.op(nme='x')": "AuthoringError: op takes no argument 'nme'. Did you mean 'name'?",
    "aq.global_config({'lazy': 3})": "AuthoringError: global_config: 'lazy' must be True or False, not int.",
    "aq.daily(hour=25)": "AuthoringError: ",
    "client.create_param()": "TypeError: Client.create_param() missing 2 required positional",
    "client.resource('Demo').collection('x')": "AttributeError: The resource 'Demo' is of service 'SQLite',",
    "client.publish_flow('churn', artifacts=[features.lazy(3)], engine='x')": "NotFound: No resource is",
    "aq.Client(buckt='b')": "AuthoringError: Client takes no argument 'buckt'. Did you mean 'bucket'?",
}


def run(folder: Path, *command: str, **variables: str) -> str:
    """What a command of the user's prints; it must fail."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables}
    environ.pop("PYTEST_ADDOPTS", None)
    (folder / "config.toml").touch(mode=0o600)
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    return done.stdout + done.stderr


def frames(shown: str) -> list[str]:
    """The files and lines of tracebacks of plain Python."""
    return [f"{Path(file).name}:{line}" for file, line in re.findall(r'File "([^"]*)", line (\d+)', shown)]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A script that makes each of the mistakes, and shows how it is told of."""
    folder = tmp_path_factory.mktemp("script")
    lines = [
        f"try: {mistake}\nexcept BaseException: traceback.print_exc(); print('---', file=sys.stderr)"
        for mistake in MISTAKES
    ]
    (folder / "flow.py").write_text(FLOW + "import traceback\n" + "\n".join(lines) + "\nsys.exit(1)\n")
    return folder


def test_mistakes_end_in_the_users_line(script: Path) -> None:
    parts = run(script, "flow.py").split("---\n")
    for number, (mistake, error) in enumerate(MISTAKES.items()):
        shown = parts[number]
        assert frames(shown) == [f"flow.py:{LINE + 1 + 2 * number}"], mistake
        assert shown.splitlines()[-1].removeprefix("aqueduct_provider.errors.").startswith(error)
        assert "exception" not in shown


def test_a_failing_function_ends_in_itself(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW + "features(3)\n")
    shown = run(tmp_path, "flow.py")
    assert frames(shown) == [f"flow.py:{LINE}", "flow.py:6", "flow.py:9"]
    assert shown.startswith("ValueError: no rows: 3\n\nThe above exception was the direct cause")
    assert shown.endswith(
        "\naqueduct_provider.errors.OperatorFailed: Error in 'features': ValueError: no rows: 3\n"
    )


def test_a_plain_call_shows_the_users_own_error(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW + "features.local(3)\n")
    shown = run(tmp_path, "flow.py")
    assert frames(shown) == [f"flow.py:{LINE}", "flow.py:6", "flow.py:9"]
    assert shown.splitlines()[-1] == "ValueError: no rows: 3"


@pytest.mark.parametrize("how", ["variable", "call"])
def test_the_whole_can_be_had(tmp_path: Path, how: str) -> None:
    call = "aq.debug_tracebacks(True)\n" if how == "call" else ""
    (tmp_path / "flow.py").write_text(FLOW + call + "features(3)\n")
    variables = {"AQUEDUCT_DEBUG_TRACEBACKS": "1"} if how == "variable" else {}
    shown = run(tmp_path, "flow.py", **variables)
    assert {"calls.py", "evaluate.py", "execute.py"} <= {one.partition(":")[0] for one in frames(shown)}
    off = call.replace("True", "False")
    (tmp_path / "flow.py").write_text(FLOW + call + off + "features(3)\n")
    shown = run(tmp_path, "flow.py", **dict.fromkeys(variables, "0"))
    assert {one.partition(":")[0] for one in frames(shown)} == {"flow.py"}


def test_a_bug_of_ours_is_shown_whole(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW + "client._session = None\nclient.list_resources()\n")
    shown = run(tmp_path, "flow.py")
    assert "client_resources.py" in {one.partition(":")[0] for one in frames(shown)}
    assert "AttributeError: 'NoneType' object has no attribute" in shown


def test_under_pytest(tmp_path: Path) -> None:
    (tmp_path / "test_flow.py").write_text(
        FLOW + "def test_call():\n    features(lines=3)\n\ndef test_function():\n    features(3)\n"
    )
    shown = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "-q", "test_flow.py", "--tb=short")
    places = re.findall(r"^(\S+\.py):(\d+): in", shown, flags=re.MULTILINE)
    call, function = LINE + 1, LINE + 4
    assert places == [("test_flow.py", str(line)) for line in (call, function, 6, 9)]
    assert "E   aqueduct_provider.errors.AuthoringError: 'features' takes no argument 'lines'" in shown


@pytest.mark.slow
def test_in_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cells = [FLOW, "features(lines=3)", "features(3)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(tmp_path)}}
    client = nbclient.NotebookClient(notebook, kernel_name="python3", allow_errors=True, resources=resources)
    client.execute()
    tracebacks = [
        re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
        for cell in notebook.cells
        for output in cell.outputs
        if output.output_type == "error"
    ]
    assert len(tracebacks) == 2
    for shown in tracebacks:
        assert "aqueduct_provider/" not in shown
    assert re.findall(r"^Cell In\[(\d)\], line (\d+)", tracebacks[0], flags=re.MULTILINE) == [("2", "1")]
    assert re.findall(r"^Cell In\[(\d)\], line (\d+)", tracebacks[1], flags=re.MULTILINE) == [
        ("3", "1"),
        ("1", "6"),
        ("1", "9"),
    ]
    assert tracebacks[1].endswith("OperatorFailed: Error in 'features': ValueError: no rows: 3")


def test_a_users_error_further_down_the_chain_is_kept(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(
        FLOW
        + """
import traceback
from aqueduct_provider.errors import AqueductError
from aqueduct_provider.sdk.own_frames import ends_in_user_code

def users(): raise ValueError("mine")

def raises():
    try:
        try:
            users()
        except ValueError as error:
            raise exec("raise OSError('translated')", {}) from error
    except OSError as error:
        error.__traceback__ = None
        raise AqueductError("ours") from error

try:
    ends_in_user_code(raises)()
except AqueductError as error:
    print(repr(error.__cause__))
    print("".join(traceback.format_exception(error)))
sys.exit(1)
"""
    )
    shown = run(tmp_path, "flow.py")
    assert shown.startswith("ValueError('mine')\n")
    assert shown.count('raise ValueError("mine")') == 1
    assert "AqueductError: ours" in shown


def test_frames_of_a_failing_function_are_formatted_once(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(
        FLOW
        + "import traceback\ntry: features(3)\nexcept Exception as error:\n"
        + "    print(''.join(traceback.format_exception(error)))\nsys.exit(1)\n"
    )
    shown = run(tmp_path, "flow.py")
    assert frames(shown) == [f"flow.py:{LINE + 1}", "flow.py:6", "flow.py:9"]
