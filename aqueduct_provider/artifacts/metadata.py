"""Describe an artifact: all but its bytes (Aqueduct formats, section 4, "Metadata JSON")."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Metadata:
    """The metadata of one artifact.

    :param system_metadata: measurements of the operator that made it, as text: ``runtime`` in seconds,
        ``max_memory`` in MB; empty for operators that are not functions.
    :param encoding: the codec and its version; None in the compiled dialect, whose format has no such field.
    :param preview: what pages show of the content, see ``artifacts/glance.py``; None: nothing.
    """

    artifact_type: str
    serialization_type: str
    python_type: str
    schema: Sequence[Mapping[str, str]] = ()
    system_metadata: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    preview: Mapping[str, Any] | None = None

    def to_json(self) -> bytes:
        """Return the stored form."""
        document: dict[str, Any] = {
            "schema": list(self.schema),
            "system_metadata": dict(self.system_metadata),
            "artifact_type": self.artifact_type,
            "serialization_type": self.serialization_type,
            "python_type": self.python_type,
        }
        if self.encoding is not None:
            document["encoding"] = self.encoding
        if self.preview is not None:
            document["preview"] = dict(self.preview)
        return json.dumps(document).encode()
