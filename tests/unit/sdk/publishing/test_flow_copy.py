from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import DigestMismatch, ObjectNotFound
from aqueduct_provider.sdk.publishing.flow_copy import check_digest, copy_of, objects_of
from aqueduct_provider.sdk.publishing.registry import Registry
from aqueduct_provider.sdk.publishing.upload import publish
from aqueduct_provider.storage.layout import FlowLayout
from aqueduct_provider.storage.local import LocalStore
from tests.unit.sdk.publications import Folder, composition


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(LocalStore(tmp_path))


def test_every_version_can_be_copied(registry: Registry) -> None:
    first, second = composition("churn", "f", default=b"a"), composition("churn", "g", "h", default=b"b")
    for made in (first, second):
        record = publish(made, registry.store, Folder(), "airflow")
    assert copy_of(registry, record).objects == second.objects
    copy = copy_of(registry, record, str(first.spec.version.id))
    assert (copy.text, copy.spec, copy.objects) == (first.text, first.spec, first.objects)
    assert set(objects_of(copy.spec)) == set(copy.objects)
    # Changes of the document are those of its reader alone.
    copy.document["dag_id"] = "other"
    assert copy.document["dag_id"] == "churn"


def test_a_changed_object_is_not_copied(registry: Registry) -> None:
    made = composition("churn")
    record = publish(made, registry.store, Folder(), "airflow")
    key = next(key for key in made.objects if key.startswith("functions/"))
    registry.store.put(key, b"another function")
    with pytest.raises(DigestMismatch, match=f"{key} is not what the flow's spec names"):
        copy_of(registry, record)
    registry.store.delete([key])
    with pytest.raises(ObjectNotFound, match=key):
        copy_of(registry, record)


def test_a_changed_spec_is_not_copied(registry: Registry) -> None:
    made, other = composition("churn"), composition("churn", "h")
    record = publish(made, registry.store, Folder(), "airflow")
    registry.store.put(FlowLayout(record.flow_id).version(record.version_id), other.text)
    with pytest.raises(DigestMismatch, match="was changed after it was published"):
        copy_of(registry, record)


def test_digests() -> None:
    # Of the empty string, as everywhere.
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    check_digest("here", b"", empty)
    with pytest.raises(DigestMismatch, match=r"^here is not"):
        check_digest("here", b"x", empty)
