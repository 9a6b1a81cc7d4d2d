"""Delivery on Airflow 3: specs in S3 or in a folder as a versioned DAG bundle.

The name loads when it is first used: Airflow 2.11 has no bundles, and stubs need only a part of this room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AirflowImportError

if TYPE_CHECKING:
    from aqueduct_provider.bundles.dag_bundle import AqueductDagBundle

__all__ = ["AqueductDagBundle"]


# A type checker must not take every name for one of ours.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS, AIRFLOW_VERSION

        if not AIRFLOW_V_3_0_PLUS:
            raise AirflowImportError(
                f"DAG bundles came with Airflow 3, and here is Airflow {AIRFLOW_VERSION}. Show flows by a "
                "loader instead: aqueduct-airflow init DAG_FOLDER."
            )
        from aqueduct_provider.bundles.dag_bundle import AqueductDagBundle

        return AqueductDagBundle
