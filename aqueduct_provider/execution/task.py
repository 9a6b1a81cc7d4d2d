"""Describe what is run and with what: plain values and effects, handed in by the Airflow operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.connectors.requests import SystemOrder
from aqueduct_provider.environment.cache import PythonEnvironment
from aqueduct_provider.environment.fingerprint import EnvironmentSpec
from aqueduct_provider.execution.function_archive import ArchiveLimits
from aqueduct_provider.execution.sandbox import Sandbox
from aqueduct_provider.process import OnLine, Start, spawn
from aqueduct_provider.spec.models import ExtractOperator, LoadOperator, Operator, WorkflowSpec
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.spec.run_values import StoredValue
from aqueduct_provider.storage.layout import CompiledLayout, Layout, NativeLayout
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.patience import Patience

Provide = Callable[[EnvironmentSpec, OnLine, Callable[[], bool]], AbstractContextManager[PythonEnvironment]]


@dataclass(frozen=True)
class OperatorTask:
    """One operator of one run.

    :param run_id: Airflow's run id, part of every key.
    :param params: the run's parameter values by name; None means the published value.
    :param inputs: the operator's input artifacts by id, as their producers left them.
    :param given: values of this run that lie in the store, by parameter; they come before ``params``.
    :param dates: values of ``{{ today }}``, ``{{ ds }}`` and others in queries of this run.
    :param try_number: which try of Airflow's task it is; None without Airflow.
    """

    workflow: WorkflowSpec
    operator: Operator
    run_id: str
    params: Mapping[str, Any]
    inputs: Mapping[str, ArtifactRef]
    given: Mapping[str, StoredValue] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    try_number: int | None = None

    @property
    def layout(self) -> Layout:
        """Return the keys of this run."""
        compiled = self.workflow.compiled
        if compiled is not None:
            return CompiledLayout(compiled.metadata_paths, self.run_id)
        return NativeLayout(str(self.workflow.flow.id), self.run_id)

    @property
    def version(self) -> str | None:
        """Return the spec's version, as exec states name it; None if the original must read them."""
        return None if self.workflow.compiled is not None else str(self.workflow.version.id)

    @property
    def table_serialization(self) -> str:
        """Return how the flow stores tables."""
        return self.workflow.table_serialization


@dataclass(frozen=True)
class Worker:
    """The worker's offer to its tasks.

    :param store: the flow's artifact store.
    :param connect: the store that an extract or load of files reads or writes.
    :param system: the data system of any other extract or load, with its credentials.
    :param provide: leases a Python for requirements, for as long as the context is open; it is given where
        its output lines go, and a function that is true when it must stop.
    :param cache_dir: folder for what is worth keeping between tasks.
    :param archive_limits: what a function archive may hold.
    :param variables: the worker's environment variables.
    :param allowed_variables: names that a child may see beyond the usual ones.
    :param output_limit: bytes of each output stream that are kept for the exec state.
    :param kill_grace: seconds between SIGTERM and SIGKILL.
    :param requests: requests to the store at the same time, at most.
    :param on_line: gets every line that a child prints, as it prints it.
    :param start: starts the child that runs an operator's code.
    :param patience: how long this task waits for its stores; a kill cancels it.
    :param sandbox: what that child runs in; None: nothing but ``start``.
    :param in_sandbox: whether ``start`` starts children in a sandbox already.
    :param jobs_folder: where the folders of jobs lie; None: with those of all tasks.
    :param job_mark: marks the processes of the jobs, see ``process.MARK``; empty: each job's folder does.
    :param redact: masks the secrets that this task knows, in all that leaves it.
    """

    store: ObjectStore
    connect: Callable[[ExtractOperator | LoadOperator], ObjectStore]
    system: Callable[[ExtractOperator | LoadOperator], SystemOrder]
    provide: Provide
    cache_dir: Path
    archive_limits: ArchiveLimits
    variables: Mapping[str, str]
    allowed_variables: frozenset[str]
    output_limit: int
    kill_grace: float
    requests: int
    on_line: OnLine
    start: Start = spawn
    patience: Patience = field(default_factory=Patience)
    job_mark: str = ""
    redact: Redactor = field(default_factory=Redactor)
    sandbox: Sandbox | None = None
    in_sandbox: bool = False
    jobs_folder: Path | None = None
