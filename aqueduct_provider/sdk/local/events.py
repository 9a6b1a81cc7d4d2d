"""The events of a local run while it goes on, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import OperatorRun, status_without_airflow
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.spec.names import nfc

if TYPE_CHECKING:
    from aqueduct_provider.artifacts.manifest import ArtifactRef
    from aqueduct_provider.process import Stream
    from aqueduct_provider.sdk.authoring.artifacts import Artifact
    from aqueduct_provider.sdk.results.stored_source import StoredSource
    from aqueduct_provider.spec.models import WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore


@dataclass(frozen=True)
class OperatorChanged:
    """An operator began, ended, waits for its next try, or will not be run."""

    operator: OperatorRun


@dataclass(frozen=True)
class LinePrinted:
    """A line that an operator's code, or the build of its environment, printed.

    :param operator: the operator's name; its task id, too, where two have the same name.
    """

    operator: str
    stream: Stream
    line: str


Event = OperatorChanged | LinePrinted


@dataclass(frozen=True)
class LocalOutcome:
    """The end of a run.

    :param operators: how each operator ended, in the order of the spec.
    :param artifacts: artifact id -> where it is in the store; only those that were written.
    """

    spec: WorkflowSpec = field(repr=False)
    store: ObjectStore = field(repr=False)
    run_id: str
    operators: tuple[OperatorRun, ...]
    artifacts: Mapping[str, ArtifactRef] = field(repr=False)

    @property
    def status(self) -> ExecutionStatus:
        """Succeeded, when every operator did; a check that only warns may fail."""
        return status_without_airflow(self.operators)

    def artifact(self, name: str) -> Artifact:
        """Return the artifact with this name; its ``.get()`` reads the value.

        :raises NotFound: the flow has none of this name, or the run has not written it.
        """
        from aqueduct_provider.sdk.authoring.artifacts import artifact_from

        return artifact_from(self.source(name))

    def source(self, name: str) -> StoredSource:
        """Return where the artifact with this name is; see :meth:`artifact`."""
        from aqueduct_provider.sdk.results.records import Recorded
        from aqueduct_provider.sdk.results.stored_source import StoredSource

        name = nfc(name)
        ids = {artifact.name: artifact.id for artifact in self.spec.artifacts}
        if name not in ids:
            raise NotFound(f"{self.spec.flow.name!r} has no artifact {name!r}.{suggestion(name, ids)}")
        ref = self.artifacts.get(ids[name])
        if ref is None:
            raise NotFound(f"{name!r} was not written: {self._why_missing(ids[name])}")
        recorded = Recorded(ref)
        return StoredSource(
            name=name,
            declared=self.spec.artifact(ids[name]).type.value,
            store=self.store,
            content_key=ref.key,
            metadata_key=ref.metadata_key,
            look_up=lambda _fresh: recorded,
            why_missing=partial(self._why_missing, ids[name]),
        )

    def _why_missing(self, artifact_id: str) -> str:
        task_id = self.spec.producer(artifact_id).task_id
        one = next(one for one in self.operators if one.task_id == task_id)
        return f"operator {one.name!r} of run {self.run_id} is {one.word}. {one.tip}".rstrip()
