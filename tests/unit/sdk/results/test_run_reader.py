"""Readers of results know a run by what they need of it."""

from __future__ import annotations

import inspect

from aqueduct_provider.sdk.results.run_facts import RunFacts
from aqueduct_provider.sdk.results.run_reader import RunReader
from aqueduct_provider.sdk.run import Run


def test_a_run_has_what_readers_need() -> None:
    names = {name for name, _ in inspect.getmembers(RunReader) if not name.startswith("_")}
    names |= RunReader.__annotations__.keys() | RunFacts.__annotations__.keys()
    assert {"records", "session", "spec", "pin"} <= names
    assert names <= set(Run.__dataclass_fields__) | set(dir(Run))
