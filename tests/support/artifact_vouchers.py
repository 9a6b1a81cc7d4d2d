"""What Airflow's database says of artifacts that a test has put into the store itself."""

from __future__ import annotations

import hashlib
import json

from aqueduct_provider.artifacts.manifest import ArtifactRef, Manifest
from aqueduct_provider.operators.xcom import with_spec
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.testing import FakeAirflow


def ref_of(store: ObjectStore, key: str, metadata_key: str) -> ArtifactRef:
    """The digests of an artifact as it is in the store now."""
    data, metadata = store.get(key), store.get(metadata_key)
    facts = json.loads(metadata)
    return ArtifactRef(
        key=key,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        metadata_key=metadata_key,
        metadata_sha256=hashlib.sha256(metadata).hexdigest(),
        artifact_type=facts["artifact_type"],
        serialization_type=facts["serialization_type"],
    )


def vouch(fake: FakeAirflow, store: ObjectStore, spec: WorkflowSpec, run_id: str, *artifacts: str) -> None:
    """Let the tasks of a run have succeeded, and have written these artifacts as they are in the store now.

    :param artifacts: their ids.
    """
    layout = NativeLayout(str(spec.flow.id), run_id)
    for artifact in artifacts:
        task_id = spec.producer(artifact).task_id
        ref = ref_of(store, layout.content(artifact), layout.metadata(artifact))
        task = fake.add_task(spec.dag_id, run_id, task_id, state="success")
        task.xcoms["return_value"] = with_spec(Manifest("succeeded", {artifact: ref}), spec)
