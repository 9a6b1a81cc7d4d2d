"""One broken spec among a thousand: each has a stub, and one of them an error."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.errors import SpecError
from tests.support.example_specs import small_document
from tests.unit.bundles.conftest import Bundle, Write

NAMES = {f"flow{number:03}" for number in range(1000)}
BROKEN = "flow500"


@pytest.mark.slow
def test_the_stubs_show_all_others_and_one_error(write: Write, bundle: Bundle) -> None:
    for name in NAMES:
        write(f"{name}.json", small_document(name))
    write(f"{BROKEN}.json", small_document(BROKEN, flwo={}))
    bundle.refresh()
    stubs = bundle.stubs
    assert stubs.keys() == {f"{name}.json.py" for name in NAMES}
    wrong = stubs.pop(f"{BROKEN}.json.py")
    found: dict[str, Any] = {}
    for stub in stubs.values():
        found |= bundle.run(stub)
    assert found.keys() == NAMES - {BROKEN}
    with pytest.raises(SpecError, match="did you mean 'flow'"):
        bundle.run(wrong)
    before = {name: stub.stat().st_mtime_ns for name, stub in stubs.items()}
    write(f"{BROKEN}.json", small_document(BROKEN))
    bundle.refresh()
    assert bundle.run(wrong).keys() == {BROKEN}
    assert {name: stub.stat().st_mtime_ns for name, stub in stubs.items()} == before
