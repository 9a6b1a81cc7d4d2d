"""Values as BigQuery's REST interface writes them: as texts in JSON, but for lists and structs."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def encoded(fields: list[dict[str, Any]], row: dict[str, Any]) -> dict[str, Any]:
    """A row, or a struct."""
    return {"f": [{"v": _value(field, row[field["name"]])} for field in fields]}


def _value(field: dict[str, Any], value: Any) -> Any:
    if field.get("mode") == "REPEATED":
        return [{"v": _value({**field, "mode": "NULLABLE"}, item)} for item in value or ()]
    if value is None:
        return None
    match field["type"]:
        case "RECORD":
            return encoded(field["fields"], value)
        case "BOOL" | "BOOLEAN":
            return str(value).lower()
        case "BYTES":
            return base64.b64encode(value).decode()
        case "TIMESTAMP":
            return str((value - _EPOCH) // (datetime.resolution))
        case "DATETIME":
            return value.isoformat()
        case "NUMERIC" | "BIGNUMERIC":
            return f"{value:f}"
        case _:
            return str(value)
