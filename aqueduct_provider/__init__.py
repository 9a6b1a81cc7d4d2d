"""Run ML and data flows, written as plain Python functions, on Apache Airflow.

The public names load when they are first used (PEP 562): Airflow imports this package at start-up.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aqueduct_provider.factory.dag_factory import DagFactory
    from aqueduct_provider.hooks.aqueduct import AqueductHook
    from aqueduct_provider.operators.aqueduct import AqueductOperator

__version__ = "0.1.0"

__all__ = ["AqueductHook", "AqueductOperator", "DagFactory", "__version__"]

_HOMES = {
    "AqueductHook": "aqueduct_provider.hooks.aqueduct",
    "AqueductOperator": "aqueduct_provider.operators.aqueduct",
    "DagFactory": "aqueduct_provider.factory.dag_factory",
}


# A type checker must not take every name for one of ours.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
