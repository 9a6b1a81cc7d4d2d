"""Display and readers of results share what they know of a run."""

from __future__ import annotations

from aqueduct_provider.sdk.display.views import RunView
from aqueduct_provider.sdk.results.run_facts import RunFacts
from aqueduct_provider.sdk.results.run_reader import RunReader


def test_both_protocols_are_built_on_it() -> None:
    assert RunFacts in RunView.__mro__
    assert RunFacts in RunReader.__mro__
