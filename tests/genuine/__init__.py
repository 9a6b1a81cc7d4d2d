"""Specs as the original's own server emits them, with two placeholders, and what the flows in them need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
# Flows that run; of the fifth, two operators collided.
RUNNABLE = ("multi_output", "odd_names", "params", "sql")
COLLIDING = "alike_side"


def path_of(name: str) -> Path:
    """The file of a spec."""
    return FOLDER / f"{name}.json"


def document_of(name: str, *, storage_config: Any = None, warehouse: str = "") -> dict[str, Any]:
    """A spec whose placeholders are filled.

    :param storage_config: where its objects lie; None: as it stands.
    :param warehouse: path of the SQLite database that it reads and writes.
    """
    text = path_of(name).read_text().replace("@WAREHOUSE@", warehouse)
    document: dict[str, Any] = json.loads(text)
    if storage_config is not None:
        for part in (document, *document["task_specs"].values()):
            part["storage_config"] = storage_config
    return document
