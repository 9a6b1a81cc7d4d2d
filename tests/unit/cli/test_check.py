"""The requirements of a script's flows, or of a spec, checked on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aqueduct_provider.cli import main
from tests.support.stored_flows import Flows, call
from tests.unit.environment.conftest import Index

Captured = pytest.CaptureFixture[str]

SCRIPT = """
import sys
import aqueduct_provider.sdk as aq

@aq.op(requirements=["alpha==1.0"], outputs=["a"])
def one():
    return 1

@aq.op(requirements=[sys.argv[1] if len(sys.argv) > 1 else "alpha"], outputs=["b"])
def two(a):
    return a + 1

aq.Client().publish_flow("churn", artifacts=[two(one())])
print("done")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import cloudpickle

    index = Index(tmp_path / "index")
    index.add("alpha", "1.0")
    index.add("cloudpickle", cloudpickle.__version__)
    for name, value in (
        ("UV_DEFAULT_INDEX", index.url),
        ("UV_CACHE_DIR", tmp_path / "uv"),
        ("HOME", tmp_path),
    ):
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.py").write_text(SCRIPT)
    return tmp_path


def test_a_script_whose_requirements_can_be_resolved(folder: Path, capsys: Captured) -> None:
    assert main(["check", "flow.py"]) == 0
    out, err = capsys.readouterr()
    first, second, last = out.splitlines()
    assert first.startswith("ok    churn / one: 2 packages for Python 3.")
    assert second.startswith("ok    churn / two: 2 packages")
    assert last == "checked: 2, cannot be resolved: 0"
    assert "done" in err


def test_a_script_whose_requirements_cannot(folder: Path, capsys: Captured) -> None:
    assert main(["check", "flow.py", "alpha==99"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "error churn / two"
    assert any("alpha==99" in line for line in lines[2:-1])
    assert lines[-1] == "checked: 2, cannot be resolved: 1"


def test_for_programs(folder: Path, capsys: Captured) -> None:
    assert main(["check", "--json", "flow.py", "missing"]) == 1
    good, bad = json.loads(capsys.readouterr().out)
    assert list(good) == ["flow", "operator", "requirements", "python_version", "packages", "problem"]
    assert (good["operator"], good["problem"], good["packages"][0]) == ("one", "", "alpha==1.0")
    assert "missing" in bad["problem"]


def test_a_script_that_ends_early_is_noted(folder: Path, capsys: Captured) -> None:
    (folder / "flow.py").write_text(SCRIPT + "\nraise ValueError('too bad')\n")
    assert main(["check", "flow.py"]) == 0
    assert "what follows was not run: flow.py, line 16: ValueError: too bad" in capsys.readouterr().err


def test_a_spec_whose_code_is_in_a_folder(folder: Path, capsys: Captured) -> None:
    flows = Flows(folder / "store")
    (folder / "flow.json").write_text(json.dumps(flows.document(call("f", "def predict(): return 1"))))
    assert main(["check", "flow.json", "--folder", str(flows.folder)]) == 0
    assert "ok    small / f: 1 package for Python 3." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["flow.ipynb"], 2, "is a notebook; write it as a script"),
        (["flow.json", "x"], 2, "a spec takes no arguments"),
        (["missing.py"], 1, "The script 'missing.py' does not exist"),
        (["missing.json"], 1, "missing.json"),
    ],
)
def test_what_cannot_be_checked(
    folder: Path, capsys: Captured, words: list[str], code: int, message: str
) -> None:
    assert main(["check", *words]) == code
    assert message in capsys.readouterr().err
