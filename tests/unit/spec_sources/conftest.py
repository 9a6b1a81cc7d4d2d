"""The fixtures of the DAG factory: specs are read here as the loader reads them."""

from __future__ import annotations

from tests.unit.factory.conftest import folder, serialized, task_of, write

__all__ = ["folder", "serialized", "task_of", "write"]
