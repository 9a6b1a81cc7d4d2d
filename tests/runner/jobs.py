"""Runs jobs with the real runner in real child processes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aqueduct_provider.execution.runner_package import runner_archive
from aqueduct_provider.runner.codecs import decode, encode, infer_type
from aqueduct_provider.runner.contract import (
    OUTCOME_FILE,
    REQUEST_FILE,
    FunctionCall,
    InputFile,
    JobOutcome,
    JobRequest,
    OutputSlot,
    outcome_from_json,
    to_json,
)


@dataclass(frozen=True)
class Finished:
    """How a child process ended; ``outcome`` is None when it left none."""

    returncode: int
    stdout: str
    stderr: str
    outcome: JobOutcome | None


@dataclass(frozen=True)
class Job:
    """A job folder.

    :param python: the interpreter of the child, with its own flags.
    :param runner: where the runner is kept; None: next to the folder.
    """

    folder: Path
    python: tuple[str, ...] = (sys.executable,)
    runner: Path | None = None

    def run(self, request: JobRequest, **options: Any) -> Finished:
        """Run the request as the worker does; ``options`` are those of ``subprocess.run``."""
        (self.folder / REQUEST_FILE).write_text(to_json(request))
        archive = runner_archive(self.runner or self.folder.parent / "runner")
        command = [*self.python, "-I", "-u", str(archive), str(self.folder)]
        options = {"stdin": subprocess.DEVNULL, **options}
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
        path = self.folder / OUTCOME_FILE
        outcome = outcome_from_json(path.read_text()) if path.exists() else None
        return Finished(ran.returncode, ran.stdout, ran.stderr, outcome)

    def call(
        self,
        source: str,
        *inputs: Any,
        operation: str = "function",
        outputs: tuple[str, ...] = ("untyped",),
        files: dict[str, str] | None = None,
        call: FunctionCall | None = None,
        **fields: Any,
    ) -> Finished:
        """Call ``predict`` of a ``model.py`` with this source; outputs are given by their expected types."""
        self.write_code(source, files or {})
        request = JobRequest(
            operation,
            inputs=[self.add_input(f"in{number}", value) for number, value in enumerate(inputs)],
            outputs=[OutputSlot(f"out{n}", kind, f"result {n}") for n, kind in enumerate(outputs)],
            call=call or FunctionCall("code", "model.py", "", "predict"),
        )
        return self.run(replace(request, **fields))

    def write_code(self, source: str, files: dict[str, str]) -> None:
        for name, text in {"model.py": source, **files}.items():
            path = self.folder / "code" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def add_input(self, name: str, value: Any) -> InputFile:
        """Store a value as an input of the next job."""
        encoded = encode(value, infer_type(value))
        return self.add_bytes(name, encoded.data, encoded.artifact_type, encoded.serialization_type)

    def add_bytes(self, name: str, data: bytes, artifact_type: str, serialization_type: str) -> InputFile:
        (self.folder / name).write_bytes(data)
        return InputFile(name, artifact_type, serialization_type)

    def output(self, finished: Finished, number: int = 0) -> Any:
        """The value that a job left."""
        assert finished.outcome is not None
        assert finished.outcome.failure is None, finished.outcome.failure
        info = finished.outcome.outputs[number]
        data = (self.folder / info.path).read_bytes()
        return decode(data, info.serialization_type, info.artifact_type)
