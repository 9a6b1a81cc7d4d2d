"""Delivery on Airflow 3: specs in S3 or in a folder as a versioned DAG bundle.

The name loads when it is first used: Airflow 2.11 has no bundles, and stubs need only a part of this room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aqueduct_provider.bundles.dag_bundle import AqueductDagBundle

__all__ = ["AqueductDagBundle"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from aqueduct_provider.bundles.dag_bundle import AqueductDagBundle

    return AqueductDagBundle
