"""Display knows flows, runs and artifacts by what it shows of them."""

from __future__ import annotations

import inspect

import pytest

from aqueduct_provider.sdk.authoring.artifacts import Artifact
from aqueduct_provider.sdk.display import views
from aqueduct_provider.sdk.flow import Flow
from aqueduct_provider.sdk.run import Run


@pytest.mark.parametrize(
    ("view", "shown"), [(views.FlowView, Flow), (views.RunView, Run), (views.ArtifactView, Artifact)]
)
def test_what_is_shown_has_what_its_view_names(view: type, shown: type) -> None:
    names = {name for name, _ in inspect.getmembers(view) if not name.startswith("_")}
    fields = set(getattr(shown, "__dataclass_fields__", ()))
    assert names
    assert names <= fields | set(dir(shown))
