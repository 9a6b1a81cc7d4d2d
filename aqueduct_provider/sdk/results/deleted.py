"""Find why the content of an artifact was deleted: by the mark of the run, or by the spec.

In: the store, the keys of the run and the artifact in its spec. Out: the reason, and the number that is kept
of it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aqueduct_provider.errors import IntegrityError, ObjectNotFound
from aqueduct_provider.state.pruned import Number, pruned_mark_from_json

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import ArtifactSpec
    from aqueduct_provider.storage.layout import NativeLayout
    from aqueduct_provider.storage.object_store import ObjectStore

log: logging.Logger = logging.getLogger("aqueduct")


@dataclass(frozen=True)
class Deletion:
    """That content was deleted on purpose.

    :param reason: a sentence that goes on after "it was ".
    :param number: its value, where it was a number or a boolean.
    """

    reason: str
    number: Number | None = None


def deletion_of(store: ObjectStore, layout: NativeLayout, artifact: ArtifactSpec) -> Deletion | None:
    """Return why this content was deleted; None where no record says so."""
    key = layout.pruned_mark
    try:
        mark = pruned_mark_from_json(store.get(key))
    except ObjectNotFound:
        unkept = "deleted when its run had succeeded, for it keeps no snapshot (keep_snapshot: false)."
        return None if artifact.keep_snapshot else Deletion(unkept)
    except IntegrityError as error:
        log.warning("%s: %s", store.url(key), error)
        return None
    return Deletion(mark.reason, mark.numbers.get(artifact.id))
