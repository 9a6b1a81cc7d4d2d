"""Which files of a folder are specs: one rule for discovery and for lint.

A spec is in the folder itself and its name ends in ``.json`` without a leading dot, for editors hide their
temporary files so. Valid JSON that has none of the fields by which a spec is known, such as a package.json,
is foreign and left alone.
"""

from __future__ import annotations

from typing import Any

from aqueduct_provider.spec import compiled
from aqueduct_provider.spec.document import json_value

_SPEC_FIELDS = {"spec_version", "dag_id", "workflow_dag_id", "artifact_store", "task_specs", "task_edges"}


def is_spec_name(name: str) -> bool:
    """Check whether a file of this name can be a spec."""
    return name.lower().endswith(".json") and not name.startswith(".")


def is_foreign(data: bytes) -> bool:
    """Check whether ``data`` is valid JSON in which nothing looks like a spec, nor like a list of specs."""
    try:
        document = json_value(data)
    except ValueError:
        return False
    items = document if isinstance(document, list) else [document]
    return not any(map(_claims_to_be_a_spec, items))


def _claims_to_be_a_spec(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    return item.get("type") == compiled.TYPE or not _SPEC_FIELDS.isdisjoint(item)
