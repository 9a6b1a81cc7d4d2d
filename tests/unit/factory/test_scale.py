"""One broken spec among a thousand: all others are there, and its error is the only one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.factory.placeholder_dag import PREFIX
from tests.support.example_specs import small_document
from tests.unit.factory.test_load_dags import dag_bag

NAMES = {f"flow{number:03}" for number in range(1000)}
BROKEN = "flow500"


@pytest.mark.slow
def test_the_loader_shows_all_others_and_one_error(folder: Path, write: Callable[[str, Any], Path]) -> None:
    for name in NAMES:
        write(f"{name}.json", small_document(name))
    write(f"{BROKEN}.json", small_document(BROKEN, flwo={}))
    bag = dag_bag(folder)
    assert bag.import_errors == {}
    flows = {dag_id for dag_id in bag.dags if not dag_id.startswith(PREFIX)}
    assert flows == NAMES - {BROKEN}
    (shown,) = bag.dags.keys() - flows
    assert "did you mean 'flow'" in " ".join(bag.dags[shown].doc_md.split())
    write(f"{BROKEN}.json", small_document(BROKEN))
    assert set(dag_bag(folder).dags) == NAMES
