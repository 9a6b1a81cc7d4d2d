"""Describe what a task leaves for the tasks after it, in XCom. Keys and digests, and what is short.

XCom lies in Airflow's database, out of reach of those who can only write to the bucket: what a task
unpickles is therefore what the task before it wrote.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from aqueduct_provider.errors import IntegrityError

VERSION = 1
Status = Literal["succeeded", "warning", "failed"]
# Characters of a short fact.
_WORD = 100
_STATUSES = frozenset(get_args(Status))
# The XCom key under which a task that failed names what it has written all the same.
LEFT_KEY = "aqueduct_left"


@dataclass(frozen=True)
class ArtifactRef:
    """One artifact as its producer left it.

    :param key: its content's key below the store's prefix.
    :param sha256: digest of its content.
    :param size: bytes of its content.
    :param metadata_sha256: digest of its metadata JSON.
    :param name: its name in the flow, cut at 200 characters.
    :param glance: facts that are shown without reading it, see ``artifacts/glance.py``.
    """

    key: str
    sha256: str
    size: int
    metadata_key: str
    metadata_sha256: str
    artifact_type: str
    serialization_type: str
    name: str = ""
    glance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """The results of one operator.

    :param status: ``warning`` for a failed check of severity ``warning``, ``failed`` for one of severity
        ``error``.
    :param artifacts: artifact id -> what was written.
    :param kind: the operator's type; empty: an older release wrote it, which did not say.
    :param severity: of a check.
    :param seconds: what the operator took, with fetching its inputs and storing its outputs.
    :param environment: name of the Python environment in the worker's cache, its beginning; ``worker``: the
        worker's own Python; empty: unknown, or none was needed.
    :param build_seconds: how long this task waited until it was built; None: it was there already.
    """

    status: Status
    artifacts: Mapping[str, ArtifactRef]
    kind: str = ""
    severity: str = ""
    seconds: float | None = None
    environment: str = ""
    build_seconds: float | None = None

    def to_xcom(self) -> dict[str, Any]:
        """Return the JSON form that goes into XCom."""
        refs = {artifact: dataclasses.asdict(ref) for artifact, ref in self.artifacts.items()}
        names = ("kind", "severity", "seconds", "environment", "build_seconds")
        facts = {name: getattr(self, name) for name in names}
        known = {name: value for name, value in facts.items() if value not in ("", None)}
        return {"version": VERSION, "status": self.status, "artifacts": refs, **known}

    def written(self) -> Mapping[str, ArtifactRef]:
        """Return all that was written, by artifact id."""
        return self.artifacts


@dataclass(frozen=True)
class GroupManifest:
    """The results of one task's operators, by their task ids; those that did not run are missing."""

    operators: Mapping[str, Manifest]

    def to_xcom(self) -> dict[str, Any]:
        """Return the JSON form that goes into XCom."""
        members = {task_id: manifest.to_xcom() for task_id, manifest in self.operators.items()}
        return {"version": VERSION, "operators": members}

    def written(self) -> Mapping[str, ArtifactRef]:
        """Return all that was written, by artifact id."""
        return {name: ref for one in self.operators.values() for name, ref in one.artifacts.items()}


def check_outcome(status: str) -> str:
    """Return how a check ended, from the status of its operator: one that succeeded has ``passed``."""
    return "passed" if status == "succeeded" else status


def nothing_left(*, is_group: bool) -> Manifest | GroupManifest:
    """Return what a task leaves that failed before it had written anything.

    :param is_group: whether it runs several operators.
    """
    return GroupManifest({}) if is_group else Manifest("failed", {})


def manifest_from_xcom(value: Any, task_id: str, operator: str = "") -> Manifest:
    """Return the manifest that the Airflow task ``task_id`` left in XCom.

    :param operator: the task id of the operator that is meant, should the task have run several.
    :raises IntegrityError: there is none, or it has another version.
    """
    if isinstance(value, Mapping) and value.get("version") == VERSION and "operators" in value:
        value = value["operators"].get(operator)
    if not isinstance(value, Mapping) or value.get("version") != VERSION:
        raise IntegrityError(
            f"Task {task_id!r} left no manifest in XCom, so its artifacts cannot be verified. Was it marked "
            f"as succeeded by hand, or was its XCom deleted? Clear task {task_id!r} to run it again."
        )
    try:
        artifacts = {artifact: ref_from_json(ref) for artifact, ref in value["artifacts"].items()}
        status = value["status"]
        if not isinstance(status, str) or status not in _STATUSES:
            raise TypeError("unknown status")
        seconds, build_seconds = value.get("seconds"), value.get("build_seconds")
        if any(type(one) not in (int, float, type(None)) for one in (seconds, build_seconds)):
            raise TypeError("seconds are not a number")
        kind, severity, environment = (
            str(value.get(name, ""))[:_WORD] for name in ("kind", "severity", "environment")
        )
        return Manifest(cast(Status, status), artifacts, kind, severity, seconds, environment, build_seconds)
    except (AttributeError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"The manifest of task {task_id!r} in XCom cannot be read ({error}): another release wrote it. "
            f"Clear task {task_id!r} to run it again."
        ) from error


_FIELDS = frozenset(one.name for one in dataclasses.fields(ArtifactRef))


def ref_from_json(document: Mapping[str, Any]) -> ArtifactRef:
    """Return an artifact, without what a newer release says of it."""
    return ArtifactRef(**{name: value for name, value in document.items() if name in _FIELDS})
