from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import DigestMismatch, IntegrityError, ObjectNotFound
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


def test_an_earlier_spec_that_was_changed_is_not_copied(registry: Registry) -> None:
    first = composition("churn", "f")
    version = str(first.spec.version.id)
    for made in (first, composition("churn", "g")):
        record = publish(made, registry.store, Folder(), "airflow")
    registry.store.put(FlowLayout(record.flow_id).version(version), first.text + b" ")
    for trust in (False, True):
        with pytest.raises(DigestMismatch, match="was changed after it was published"):
            copy_of(registry, record, version, trust_store=trust)


def test_what_the_record_does_not_know_needs_trust(registry: Registry) -> None:
    record = publish(composition("churn"), registry.store, Folder(), "airflow")
    other = composition("churn", "h")
    version = str(other.spec.version.id)
    registry.store.put(FlowLayout(record.flow_id).version(version), other.text)
    for key, data in other.objects.items():
        registry.store.put(key, data)
    with pytest.raises(
        IntegrityError, match=rf"^{version[:8]} of 'churn' is not taken: .*, pass trust_store"
    ) as found:
        copy_of(registry, record, version)
    assert found.value.for_terminal().endswith("if you trust everyone who can, pass --trust-store.")
    assert copy_of(registry, record, version, trust_store=True).objects == other.objects
    # Under another id, or of another flow, it is none of the flow's versions.
    for key_of, text in ((record.version_id[:-1] + "x", other.text), (version, composition("o").text)):
        registry.store.put(FlowLayout(record.flow_id).version(key_of), text)
        with pytest.raises(IntegrityError, match="Take another version"):
            copy_of(registry, record, key_of, trust_store=True)


def test_digests() -> None:
    # Of the empty string, as everywhere.
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    check_digest("here", b"", empty)
    with pytest.raises(DigestMismatch, match=r"^here is not"):
        check_digest("here", b"x", empty)
