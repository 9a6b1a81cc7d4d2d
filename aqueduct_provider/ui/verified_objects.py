"""Read objects of the store for pages: no more than a page may take, and only as their producers wrote them.

In: keys and digests from Airflow's database. Out: bytes, and the previews in the metadata of artifacts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.transfer import fetch_small
from aqueduct_provider.errors import AqueductError, IntegrityError
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.ui.previews import Preview, preview_of
from aqueduct_provider.ui.request_reads import RequestReads

if TYPE_CHECKING:
    from aqueduct_provider.artifacts.manifest import ArtifactRef
    from aqueduct_provider.storage.object_store import ObjectStore

# Bytes of one artifact's metadata.
_MOST_METADATA = 300_000
_REQUESTS = 16


@dataclass(frozen=True)
class StoredFacts:
    """What the metadata of an artifact says.

    :param encoding: the codec and its version; empty: unknown.
    :param measured: of the operator that made it, such as ``runtime`` -> seconds.
    :param columns: of a table: name and type.
    :param problem: why it cannot be shown, a sentence; empty: it is here.
    """

    preview: Preview | None = None
    python_type: str = ""
    encoding: str = ""
    measured: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    problem: str = ""


def stored_facts(store: ObjectStore, refs: Sequence[ArtifactRef], reads: RequestReads) -> list[StoredFacts]:
    """Return what the metadata of these artifacts says, in the same order; read at the same time."""
    return together([partial(_facts, store, ref, reads) for ref in refs], _REQUESTS)


def _facts(store: ObjectStore, ref: ArtifactRef, reads: RequestReads) -> StoredFacts:
    try:
        text = fetch_small(store, ref.metadata_key, ref.metadata_sha256, _MOST_METADATA)
        return _facts_of(json.loads(text))
    except (AqueductError, ValueError, RecursionError) as error:
        if isinstance(error, AqueductError):
            return StoredFacts(problem=reads.problem(error))
        return StoredFacts(problem=f"{store.url(ref.metadata_key)} cannot be read ({type(error).__name__}).")


def _facts_of(document: Any) -> StoredFacts:
    if not isinstance(document, dict):
        raise IntegrityError("The metadata of this artifact is not a JSON object.")
    measured, schema = document.get("system_metadata"), document.get("schema")
    return StoredFacts(
        preview=preview_of(document.get("preview")),
        python_type=_word(document.get("python_type")),
        encoding=_word(document.get("encoding")),
        measured=_pairs(measured.items() if isinstance(measured, dict) else ()),
        columns=_pairs(
            pair
            for column in (schema if isinstance(schema, list) else ())
            if isinstance(column, dict)
            for pair in column.items()
        ),
    )


def _pairs(found: Any) -> tuple[tuple[str, str], ...]:
    return tuple((_word(str(name)), _word(str(value))) for name, value in found)


def _word(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""
