from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aqueduct_provider.bundles.contents import content_of, content_path
from aqueduct_provider.errors import DigestMismatch, StorageError
from aqueduct_provider.storage.layout import pinned_spec
from tests.unit.bundles.conftest import Bundle, Write, flow

SHA256 = "a" * 64


def test_content_is_verified_and_fetched_where_it_is_missing(bundle: Bundle, write: Write) -> None:
    data = write("churn.json", flow("churn")).read_bytes()
    bundle.refresh()
    digest = hashlib.sha256(data).hexdigest()
    content_path(bundle.base, digest).write_bytes(b"{}")
    with pytest.raises(DigestMismatch, match="was changed after it was written"):
        content_of(bundle.base, digest)
    with pytest.raises(StorageError, match="The object"):
        content_of(bundle.base, digest)
    bundle.source.pins().put(pinned_spec(digest), data)
    assert content_of(bundle.base, digest) == data
    assert content_path(bundle.base, digest).read_bytes() == data


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not the folder of an AqueductDagBundle"):
        content_of(tmp_path, SHA256)
