from __future__ import annotations

import pytest

from aqueduct_provider.spec.page_paths import page_path


@pytest.mark.parametrize(
    ("names", "path"),
    [
        ((), "/aqueduct/"),
        (("churn",), "/aqueduct/dags/churn"),
        (("churn", "run:1+02/3"), "/aqueduct/dags/churn/runs/run%3A1%2B02%2F3"),
        (("a.b", "r", "t"), "/aqueduct/dags/a.b/runs/r/tasks/t"),
    ],
)
def test_paths(names: tuple[str, ...], path: str) -> None:
    assert page_path(*names) == path
