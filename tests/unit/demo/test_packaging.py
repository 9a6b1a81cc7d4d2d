from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import cloudpickle

from aqueduct_provider.spec import loader
from demo.draft import Draft
from demo.flow import wine_flow
from demo.packaging import PYTHON_VERSION, function_archive

FACTOR = 3


def helper(number: int) -> int:
    return number * FACTOR


def triple(number: int) -> int:
    return helper(number)


def unpacked(archive: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        zipped.extractall(folder)
    (top,) = folder.iterdir()
    return top


def test_the_archive_runs_where_its_module_is_unknown(tmp_path: Path) -> None:
    folder = unpacked(function_archive(triple), tmp_path)
    call = "from model import Function; print(Function().predict(14))"
    done = subprocess.run([sys.executable, "-c", call], cwd=folder, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("42\n", "")


def test_the_archive_holds_what_the_format_asks_for(tmp_path: Path) -> None:
    folder = unpacked(function_archive(triple, ["pandas==2.0"]), tmp_path)
    lines = (folder / "requirements.txt").read_text().split()
    assert lines == ["pandas==2.0", f"cloudpickle=={cloudpickle.__version__}"]
    assert (folder / "python_version.txt").read_text() == PYTHON_VERSION
    assert (folder / "triple.py").read_text().startswith("def triple")


def test_the_same_function_gives_the_same_bytes() -> None:
    assert function_archive(triple) == function_archive(triple)


def test_the_demos_spec_is_valid_and_names_its_archives(tmp_path: Path) -> None:
    flow = wine_flow({"type": "connection", "connection_id": "aqueduct_default"})
    spec = loader.load(written(flow, tmp_path))
    keys = {operator.code.key for operator in spec.operators if hasattr(operator, "code")}
    assert keys == set(flow.archives)


def written(flow: Draft, folder: Path) -> Path:
    class NoStore:
        def put_object(self, **_: object) -> None:
            """The archives are not what is tested."""

    return flow.publish(NoStore(), "bucket", folder)
