from __future__ import annotations

import json

from aqueduct_provider.artifacts.metadata import Metadata


def test_compiled_metadata_has_exactly_the_originals_fields() -> None:
    metadata = Metadata(
        "table", "table", "DataFrame", [{"a": "int64"}], {"runtime": "0.1", "max_memory": "5"}
    )
    assert json.loads(metadata.to_json()) == {
        "schema": [{"a": "int64"}],
        "system_metadata": {"runtime": "0.1", "max_memory": "5"},
        "artifact_type": "table",
        "serialization_type": "table",
        "python_type": "DataFrame",
    }


def test_native_metadata_names_its_codec() -> None:
    metadata = Metadata("numeric", "json", "int", encoding="json/v1")
    assert json.loads(metadata.to_json())["encoding"] == "json/v1"
