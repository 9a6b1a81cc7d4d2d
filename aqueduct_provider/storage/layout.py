"""Make every object key, from strings alone.

Two layouts. ``NativeLayout`` puts all objects of a run below one prefix, so that runs can be listed and
deleted. ``CompiledLayout`` is the original's: the path of the spec, ``_``, the run id (Aqueduct formats,
section 2, "Run-scoped keys").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FlowLayout:
    """The keys of a flow that its runs share: ``flows/<flow id>/...``"""

    flow_id: str

    @property
    def prefix(self) -> str:
        """Return the prefix of all objects of the flow: versions, values and runs."""
        return f"flows/{self.flow_id}/"

    @property
    def versions_prefix(self) -> str:
        """Return the prefix of the specs of all versions."""
        return f"{self.prefix}versions/"

    def version(self, version_id: str) -> str:
        """Key of the spec of one version; written once."""
        return f"{self.versions_prefix}{version_id}.json"

    @property
    def runs_prefix(self) -> str:
        """Return the prefix of all runs, each a folder of its own."""
        return f"{self.prefix}runs/"

    @property
    def pruned_prefix(self) -> str:
        """Return the prefix of the empty objects that name runs without content left to delete."""
        return f"{self.prefix}pruned/"

    def pruned(self, run_id: str) -> str:
        """Key that says that no content of a run is left to delete; written last."""
        return f"{self.pruned_prefix}{run_id}"

    def notified(self, operator_id: str = "") -> str:
        """Key of the outcome that was reported last of a check; without its id, of the flow itself."""
        return f"{self.prefix}notified/" + (f"operators/{operator_id}.json" if operator_id else "flow.json")

    def value(self, sha256: str) -> str:
        """Return the key of a parameter's value: a default that is not JSON, or one given at trigger time."""
        return f"{self.prefix}values/{sha256}"


# The specs that Airflow is to show, found there by `DagFactory.dags_in_store`.
DELIVERED_PREFIX = "specs/"
# Id of the Airflow connection to the store that is meant where none is named.
DEFAULT_CONNECTION = "aqueduct_default"
# One small record for each flow: what `client.list_flows()` reads.
PUBLISHED_PREFIX = "published/"
# The same of flows that were deleted and whose runs are still there.
RETIRED_PREFIX = "retired/"


def delivered_spec(dag_id: str) -> str:
    """Key of the spec that Airflow is to show for a DAG."""
    return f"{DELIVERED_PREFIX}{dag_id}.json"


def published(dag_id: str) -> str:
    """Key of the record of a flow's latest version."""
    return f"{PUBLISHED_PREFIX}{dag_id}.json"


def retired(dag_id: str) -> str:
    """Key of the record of a flow that was deleted and whose runs are still there."""
    return f"{RETIRED_PREFIX}{dag_id}.json"


# What a DAG bundle pins: every version of it, and the specs of its versions by their content.
PINNED_VERSIONS_PREFIX = "bundles/versions/"
PINNED_SPECS_PREFIX = "bundles/specs/"


def pinned_version(version_id: str) -> str:
    """Key of the list of files of a bundle's version."""
    return f"{PINNED_VERSIONS_PREFIX}{version_id}.json"


def pinned_spec(sha256: str) -> str:
    """Key of a spec in a bundle's version."""
    return f"{PINNED_SPECS_PREFIX}{sha256}.json"


def function_archive(sha256: str) -> str:
    """Key of a function archive; flows share archives, whose name is their content."""
    return f"functions/{sha256}.zip"


@dataclass(frozen=True)
class NativeLayout:
    """``flows/<flow id>/runs/<run id>/...``"""

    flow_id: str
    run_id: str

    @property
    def run_prefix(self) -> str:
        """Return the prefix of all objects of the run."""
        return f"{FlowLayout(self.flow_id).runs_prefix}{self.run_id}/"

    @property
    def pruned_mark(self) -> str:
        """Key of what says why the content of the run's artifacts is gone; written first."""
        return f"{self.run_prefix}pruned.json"

    @property
    def artifacts_prefix(self) -> str:
        """Return the prefix of the artifacts of the run."""
        return f"{self.run_prefix}artifacts/"

    @property
    def operators_prefix(self) -> str:
        """Return the prefix of the exec states of the run."""
        return f"{self.run_prefix}operators/"

    def content(self, artifact_id: str) -> str:
        """Key of an artifact's bytes."""
        return f"{self.artifacts_prefix}{artifact_id}/content"

    def metadata(self, artifact_id: str) -> str:
        """Key of an artifact's metadata JSON."""
        return f"{self.artifacts_prefix}{artifact_id}/metadata.json"

    def exec_state(self, operator_id: str) -> str:
        """Key of an operator's exec state JSON."""
        return f"{self.operators_prefix}{operator_id}/state.json"

    def content_of(self, key: str) -> str | None:
        """Return the artifact whose content has this key; None for every other key."""
        artifact_id = key.removeprefix(self.artifacts_prefix).removesuffix("/content")
        return artifact_id if key == self.content(artifact_id) else None


def run_spec(flow: FlowLayout, run_id: str, attempt: int) -> str:
    """Key of what says by which version a run goes, where several tasks begin it.

    :param attempt: how often the run was cleared.
    """
    return f"{flow.runs_prefix}{run_id}/spec-{attempt}.json"


def run_failure(flow: FlowLayout, run_id: str, attempt: int) -> str:
    """Key of the object that names the task of a run that failed first.

    :param attempt: how often the run was cleared.
    """
    return f"{flow.runs_prefix}{run_id}/failed-{attempt}.json"


@dataclass(frozen=True)
class CompiledLayout:
    """The original's keys: an artifact's id is its content path, an operator's id its exec state's path.

    :param metadata_paths: artifact id -> metadata path.
    """

    metadata_paths: Mapping[str, str]
    run_id: str

    def content(self, artifact_id: str) -> str:
        return f"{artifact_id}_{self.run_id}"

    def metadata(self, artifact_id: str) -> str:
        return f"{self.metadata_paths[artifact_id]}_{self.run_id}"

    def exec_state(self, operator_id: str) -> str:
        return f"{operator_id}_{self.run_id}"


Layout = NativeLayout | CompiledLayout


def key_prefix(prefix: str) -> str:
    """Return the prefix that a user gave as it is in keys: empty, or ending with one ``/``."""
    return prefix.rstrip("/") + "/" if prefix else ""


def bucket_and_prefix(bucket: str, root_dir: str) -> tuple[str, str]:
    """Split into the bucket's name and the prefix of every key: empty, or ``like/this/``.

    :param bucket: ``bucket``, ``s3://bucket/some/prefix`` or ``gs://bucket/some/prefix``.
    :param root_dir: a further prefix.
    """
    name, _, inner = bucket.removeprefix("s3://").removeprefix("gs://").partition("/")
    parts = [part.strip("/") for part in (inner, root_dir)]
    return name, "".join(f"{part}/" for part in parts if part)
