"""The answers have the fields of each line of Airflow."""

from __future__ import annotations

import json

import pytest

from aqueduct_provider.testing.fake_bodies import Refused, dag_json, dag_of, page_of, run_json
from aqueduct_provider.testing.fake_state import Asked, FakeState


@pytest.mark.parametrize(
    ("major", "field", "other"), [(2, "is_active", "is_stale"), (3, "is_stale", "is_active")]
)
def test_each_line_names_it_its_way_whether_a_dag_is_there(major: int, field: str, other: str) -> None:
    fake = FakeState(major)
    body = dag_json(fake, fake.add_dag("churn"))
    assert field in body
    assert other not in body


def test_only_airflow_3_says_when_a_run_was_queued() -> None:
    bodies = []
    for major in (2, 3):
        fake = FakeState(major)
        run = fake.add_run("churn", "r1")
        bodies.append(run_json(fake, fake.dags["churn"], run))
    assert ["queued_at" in body for body in bodies] == [False, True]


def test_a_page_is_at_most_as_long_as_airflow_allows() -> None:
    fake = FakeState()
    fake.most_per_page = 2
    asked = Asked("GET", "/dags", {"limit": ["1000"], "offset": ["1"]}, {})
    body = json.loads(page_of(fake, asked, "dags", [{"n": n} for n in range(5)]).body)
    assert body == {"dags": [{"n": 1}, {"n": 2}], "total_entries": 5}


@pytest.mark.parametrize(("major", "kind"), [(2, "application/problem+json"), (3, "application/json")])
def test_a_dag_that_is_missing_is_refused(major: int, kind: str) -> None:
    with pytest.raises(Refused) as caught:
        dag_of(FakeState(major), "churn")
    assert (caught.value.answer.status, caught.value.answer.kind) == (404, kind)
