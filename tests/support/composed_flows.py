"""Versions of a flow that are composed for real, archives included, for tests that compare them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from aqueduct_provider.artifacts.function_source import function_source
from aqueduct_provider.sdk.publishing.compose import FlowRequest, compose
from aqueduct_provider.sdk.versions.flow_diff import FlowDiff, flow_diff
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.local import LocalStore
from tests.support.node_graphs import STORE


class ComposedFlows:
    """Composes versions of the flow ``churn`` into one store."""

    def __init__(self, folder: Path) -> None:
        self.store = LocalStore(folder)

    def compose(self, *artifacts: Any, **request: Any) -> WorkflowSpec:
        """Compose a version, and store what it names."""
        nodes = tuple(one.node for one in artifacts)
        composition = compose(FlowRequest("churn", nodes, **request), STORE)
        for key, data in composition.objects.items():
            self.store.put(key, data)
        return composition.spec

    def diff(self, old: WorkflowSpec, new: WorkflowSpec) -> FlowDiff:
        """Compare two versions, with the text of their code."""
        return flow_diff(old, new, ("v1", "v2"), partial(function_source, self.store))
