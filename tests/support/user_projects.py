"""A user's project in a folder: its functions are packaged by a process, and run where it is unknown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from aqueduct_provider.execution.function_archive import ArchiveLimits, unpack

ROOT = Path(__file__).parents[2]
LIMITS = ArchiveLimits(max_bytes=10_000_000, max_files=1000)

# What the SDK does when a flow is published.
PACKAGE = """

import sys as _sys
from pathlib import Path as _Path

from aqueduct_provider.errors import PackagingError as _PackagingError
from aqueduct_provider.sdk.packaging.user_function import UserFunction as _UserFunction
from aqueduct_provider.sdk.packaging.package import package as _package

try:
    _Path(_sys.argv[1]).write_bytes(
        _package(_UserFunction({call}, {requirements}, {files}, _Path(__file__).parent), {name!r}).data
    )
except _PackagingError as _error:
    _sys.exit(str(_error))
"""

RUN = """
import json, sys
sys.path.insert(0, ".")
from model import Function
result = Function().predict(*json.loads(sys.argv[1]))
assert "aqueduct_provider" not in sys.modules
print(json.dumps(result))
"""


class Refused(Exception):
    """The script could not be packaged; the text is the error's."""


class Project:
    """A folder with modules beside a script.

    :param folder: one that does not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._outside = folder.with_name(f"{folder.name}-elsewhere")
        folder.mkdir()
        self._outside.mkdir()

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        return file

    def package(
        self,
        script: str,
        call: str,
        *,
        requirements: tuple[str, ...] = (),
        files: tuple[str, ...] = (),
        name: str = "",
        **environ: str,
    ) -> bytes:
        """The archive of a function of a script.

        :param call: Python text, the function's name.
        :param environ: variables for the process.
        :raises Refused: the SDK refuses it.
        """
        footer = PACKAGE.format(call=call, requirements=requirements, files=files, name=name or call)
        path = self.write("flow.py", dedent(script) + footer)
        archive = self._outside / "archive.zip"
        python_path = os.pathsep.join([str(ROOT), environ.pop("PYTHONPATH", "")]).strip(os.pathsep)
        done = subprocess.run(
            [sys.executable, path, archive],
            env={**os.environ, "PYTHONPATH": python_path, **environ},
            cwd=self._outside,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(done.stderr) if "Traceback" in done.stderr else Refused(done.stderr.strip())
        return archive.read_bytes()

    def run(self, archive: bytes, *inputs: Any) -> Any:
        """What the function returns in a Python that knows neither the project nor this package."""
        done = subprocess.run(
            [sys.executable, "-I", "-c", RUN, json.dumps(inputs)],
            cwd=self.unpack(archive),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def unpack(self, archive: bytes) -> Path:
        """The unpacked archive's folder."""
        number = len(list(self._outside.iterdir()))
        zipped = self._outside / f"{number}.zip"
        zipped.write_bytes(archive)
        return unpack(zipped, self._outside / str(number), LIMITS, name=zipped.name)
