"""Stage 2, the assets of what loads write, by which other DAGs of the company wait for tables and files.

In: a spec and the operators of one task. Out: outlets. Airflow updates them when the task has succeeded.
"""

from __future__ import annotations

from collections.abc import Iterable

from aqueduct_provider.compat import Asset
from aqueduct_provider.spec.assets import saved_asset
from aqueduct_provider.spec.models import LoadOperator, Operator, WorkflowSpec


def outlets_of(spec: WorkflowSpec, operators: Iterable[Operator]) -> list[Asset]:
    """An asset for each table, collection or file that these operators write, once, in their order.

    Those whose name is only known in a run have none; ``spec/assets.py`` says which.
    """
    loads = (operator for operator in operators if isinstance(operator, LoadOperator))
    uris = dict.fromkeys(saved_asset(spec, load) for load in loads)
    return [asset for uri in uris if uri and (asset := _accepted(uri))]


def _accepted(uri: str) -> Asset | None:
    """None where a provider of this Airflow has rules of its own for the scheme: the load shall run still."""
    try:
        return Asset(uri)
    except ValueError:
        return None
