from __future__ import annotations

import pytest

from aqueduct_provider.spec.metric_names import metric_name


@pytest.mark.parametrize(
    ("operator", "artifact", "name"),
    [
        ("m_third", "third", "third"),
        ("auc", "auc artifact", "auc"),
        ("auc", "auc artifact (1)", "auc (1)"),
        ("auc", "auc", "auc"),
        # Names that users chose, which only look alike.
        ("auc", "auc artifact of today", "auc artifact of today"),
        ("auc", "auc artifact (new)", "auc artifact (new)"),
        ("au", "auc artifact", "auc artifact"),
        ("auc", "artifact", "artifact"),
        ("a.c", "abc artifact", "abc artifact"),
    ],
)
def test_names(operator: str, artifact: str, name: str) -> None:
    assert metric_name(operator, artifact) == name
