from __future__ import annotations

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk import decorator


def test_the_decorators_are_those_at_the_top() -> None:
    assert decorator.__all__ == ["check", "metric", "op", "to_operator"]
    for name in decorator.__all__:
        assert getattr(decorator, name) is getattr(aq, name)
