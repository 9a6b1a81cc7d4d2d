"""Lay out an operator in its workspace: its task, its worker and its job folder.

What every kind of operator needs from it is here; what each of them does with it, in ``prepare.py``,
``file_jobs.py`` and ``table_jobs.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aqueduct_provider.artifacts.data_modules import packages_needed
from aqueduct_provider.artifacts.transfer import fetch_content
from aqueduct_provider.connectors.requests import Order
from aqueduct_provider.environment.fingerprint import EnvironmentSpec
from aqueduct_provider.errors import ObjectNotFound, OperatorFailed
from aqueduct_provider.execution.function_archive import CodeFolder, fetch_code
from aqueduct_provider.execution.operator_environment import environment_of, serialization_of, with_unlisted
from aqueduct_provider.execution.original_packages import files_in_folder, used_packages
from aqueduct_provider.execution.task import OperatorTask, Worker
from aqueduct_provider.runner.codecs import Encoded
from aqueduct_provider.runner.contract import InputFile, JobRequest, OutputSlot
from aqueduct_provider.spec.graph import maker
from aqueduct_provider.spec.models import CallOperator, Code, ExtractOperator, Operator, WorkflowSpec
from aqueduct_provider.spec.system_operators import MongoExtract
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.parallel import together

Fetched = TypeVar("Fetched")

# Serialization types that only decode where the value's own packages are.
PICKLES = frozenset({"pickle", "tensorflow-keras-model", "numpy-scalar", "parquet"})


@dataclass(frozen=True)
class Job:
    """A request to the child, and the environment that it runs in.

    :param upload: for loads, where the file that the child writes goes.
    """

    request: JobRequest
    environment: EnvironmentSpec
    upload: tuple[ObjectStore, str] | None = None


@dataclass(frozen=True)
class TableJob:
    """A request to a child in the worker's own Python: move a table between a data system and a file."""

    order: Order


@dataclass(frozen=True)
class Bench:
    """One task at work: what is run, with what, and the job folder that it is laid out in."""

    task: OperatorTask
    worker: Worker
    folder: Path

    def fetch_inputs(self, artifact_ids: Iterable[str], *also: Callable[[], Any]) -> list[InputFile]:
        """Fetch artifacts into the folder, all at once, together with whatever else can be fetched."""
        ids = list(artifact_ids)
        refs = [self.task.inputs[artifact_id] for artifact_id in ids]
        files = [
            InputFile(
                f"inputs/{index}",
                ref.artifact_type,
                ref.serialization_type,
                name=self.task.workflow.artifact(artifact_id).name,
                maker=maker(self.task.workflow, artifact_id),
            )
            for index, (artifact_id, ref) in enumerate(zip(ids, refs, strict=True))
        ]
        (self.folder / "inputs").mkdir(exist_ok=True)
        fetches: list[Callable[[], Any]] = [
            partial(fetch_content, self.worker.store, ref, self.folder / file.path)
            for ref, file in zip(refs, files, strict=True)
        ]
        together([*also, *fetches], self.worker.requests)
        return files

    def fetch_code(self, code: Code) -> CodeFolder:
        """Fetch a function archive into the folder."""
        worker = self.worker
        return fetch_code(
            worker.store,
            code,
            self.folder / "code",
            cache=worker.cache_dir / "code",
            limits=worker.archive_limits,
        )

    def output_slots(self) -> list[OutputSlot]:
        """Return one slot for each of the operator's outputs."""
        (self.folder / "outputs").mkdir(exist_ok=True)
        artifacts = [self.task.workflow.artifact(output) for output in self.task.operator.outputs]
        return [
            OutputSlot(f"outputs/{index}", artifact.type.value, artifact.name)
            for index, artifact in enumerate(artifacts)
        ]

    def environment(
        self, code: CodeFolder | None, serializations: Iterable[str], inputs: Sequence[InputFile] = ()
    ) -> EnvironmentSpec:
        """Return the environment for the code, these serialization types and the operator's outputs.

        :param inputs: files that the code is given.
        """
        tables = self.task.table_serialization
        types = [self.task.workflow.artifact(output).type for output in self.task.operator.outputs]
        wanted = [*serializations, *(serialization_of(artifact_type, tables) for artifact_type in types)]
        if _reads_mongodb(self.task.workflow):
            # Its object ids may be in the cells of any table that is made of it.
            wanted.append("bson_table")
        if code is None:
            return environment_of((), None, wanted, tables)
        requirements = with_unlisted(code.requirements, self._unlisted(code, inputs))
        return environment_of(requirements, code.python_version, ["pickle", *wanted], tables)

    def _unlisted(self, code: CodeFolder, inputs: Sequence[InputFile]) -> tuple[str, ...]:
        """Return packages that code of the original uses without listing: they were installed there."""
        if self.task.workflow.compiled is None:
            return ()
        values = (
            Encoded(b"", file.artifact_type, file.serialization_type, "", path=str(self.folder / file.path))
            for file in inputs
        )
        modules = frozenset[str]().union(*map(packages_needed, values))
        return used_packages(files_in_folder(code.path), modules)

    def environment_beside(
        self, neighbours: Iterable[Operator], *, reads: str, writes: str = ""
    ) -> EnvironmentSpec:
        """Return the environment of an operator without code of its own.

        Pickles need the packages of those who made or will read them, so they are read in the environment
        of the first neighbour that has code.

        :param reads: serialization type of what it reads.
        :param writes: serialization type of what it writes in addition to its outputs.
        """
        code = next((near.code for near in neighbours if isinstance(near, CallOperator)), None)
        folder = self.fetch_code(code) if code is not None and reads in PICKLES else None
        return self.environment(folder, [reads, writes])

    def text(self, artifact_id: str, file: InputFile, use: str) -> str:
        """Return the text in a fetched string artifact.

        :param use: what it does, for the error: ``fills a placeholder of the file path``.
        :raises OperatorFailed: it is not a string.
        """
        if file.serialization_type != "string":
            name = self.task.workflow.artifact(artifact_id).name
            raise OperatorFailed(
                f"{name!r} {use} and must be a string, not {file.artifact_type}.", deterministic=True
            )
        return (self.folder / file.path).read_text(encoding="utf-8")


def _reads_mongodb(workflow: WorkflowSpec) -> bool:
    extracts = (operator for operator in workflow.operators if isinstance(operator, ExtractOperator))
    return any(isinstance(extract.source, MongoExtract) for extract in extracts)


def user_keys(fetch: Callable[[], Fetched]) -> Fetched:
    """Treat a missing file that the flow or its run names as the user's mistake, not the system's."""
    try:
        return fetch()
    except ObjectNotFound as error:
        raise OperatorFailed(str(error), deterministic=True) from error
