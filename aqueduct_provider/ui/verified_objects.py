"""Read objects of the store for pages: no more than a page may take, and only as their producers wrote them.

In: keys and digests from Airflow's database. Out: bytes, and the previews in the metadata of artifacts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.stored_facts import StoredFacts, stored_facts_of
from aqueduct_provider.artifacts.transfer import fetch_small
from aqueduct_provider.errors import AqueductError
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.ui.request_reads import RequestReads

if TYPE_CHECKING:
    from aqueduct_provider.artifacts.manifest import ArtifactRef
    from aqueduct_provider.storage.object_store import ObjectStore

# Bytes of one artifact's metadata.
_MOST_METADATA = 300_000
_REQUESTS = 16


def stored_facts(store: ObjectStore, refs: Sequence[ArtifactRef], reads: RequestReads) -> list[StoredFacts]:
    """Return what the metadata of these artifacts says, in the same order; read at the same time."""
    return together([partial(_facts, store, ref, reads) for ref in refs], _REQUESTS)


def _facts(store: ObjectStore, ref: ArtifactRef, reads: RequestReads) -> StoredFacts:
    try:
        text = fetch_small(store, ref.metadata_key, ref.metadata_sha256, _MOST_METADATA)
        return stored_facts_of(json.loads(text))
    except (AqueductError, ValueError, RecursionError) as error:
        if isinstance(error, AqueductError):
            return StoredFacts(problem=reads.problem(error))
        return StoredFacts(problem=f"{store.url(ref.metadata_key)} cannot be read ({type(error).__name__}).")
