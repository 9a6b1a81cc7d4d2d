"""The decorators, where code of the original imports them from: ``from aqueduct.decorator import op``."""

from __future__ import annotations

from aqueduct_provider.sdk.authoring.decorators import check, metric, op, to_operator

__all__ = ["check", "metric", "op", "to_operator"]
