from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.errors import ConfigError, NotFound, StorageError
from aqueduct_provider.ui.html import Page, Visit
from aqueduct_provider.ui.site import ROUTES, Route, answer


def test_every_page_of_a_dag_says_what_it_shows_of_it() -> None:
    assert [route.path for route in ROUTES if ("{dag_id}" in route.path) != bool(route.entities)] == []
    assert len({route.path for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize(
    ("error", "status", "shown"),
    [
        (NotFound("No run 'x'."), 404, "No run &#39;x&#39;."),
        (ConfigError("The connection is missing."), 502, "The connection is missing."),
        (ValueError("password: hunter2"), 500, "in the log"),
    ],
)
def test_a_page_that_cannot_be_made_says_why(visit: Any, error: Exception, status: int, shown: str) -> None:
    def fail(_visit: Visit) -> Page:
        raise error

    page = answer(Route("/", fail), visit())
    assert page.status == status
    assert shown in page.body.decode()
    assert "hunter2" not in page.body.decode()


def test_reasons_are_shown_without_secrets(visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "postgresql://me:hunter22@db/shop")

    def fail(_visit: Visit) -> Page:
        raise StorageError("https://key:pass@s3.example.org/hunter22 does not answer.")

    text = answer(Route("/", fail), visit()).body.decode()
    assert "https://***@s3.example.org/*** does not answer." in text


def test_a_route_for_programs_says_it_in_json(visit: Any) -> None:
    def fail(_visit: Visit) -> Page:
        raise NotFound("No run 'x'.")

    page = answer(Route("/", fail, is_api=True), visit())
    assert (page.status, page.body) == (404, b'{"detail": "No run \'x\'."}')
