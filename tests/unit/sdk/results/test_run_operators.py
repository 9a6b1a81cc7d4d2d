from __future__ import annotations

import pytest

from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.results.run_operators import operator_named
from tests.unit.sdk.conftest import Finished


def test_by_name_or_by_task_id(finished: Finished) -> None:
    run = finished.good
    found = operator_named(run, run.spec, "features")
    assert found is operator_named(run, run.spec, found.task_id)
    assert found is operator_named(run, run.spec, " features ")
    with pytest.raises(NotFound, match=r"has no operator 'featrues'\. Did you mean 'features'\?"):
        operator_named(run, run.spec, "featrues")
