"""The JSON Schema of the native dialect, generated from the models.

``spec/schema.json`` is this text, shipped for editors and other languages; a test compares the two.
"""

from __future__ import annotations

import json
from typing import Any

from aqueduct_provider.spec.models import WorkflowSpec


def json_schema() -> dict[str, Any]:
    """Return the schema of native specs. ``aqueduct-airflow lint`` checks what spans several fields."""
    schema = WorkflowSpec.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Aqueduct native spec",
    }


def schema_text() -> str:
    """Return the same as text, as it is shipped."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
