"""Credentials of Google with the options of connections."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import google.auth.exceptions
import pytest
from google.api_core.exceptions import Forbidden, GoogleAPICallError, RetryError, ServiceUnavailable
from google.auth.credentials import AnonymousCredentials
from google.auth.impersonated_credentials import Credentials as Impersonated
from google.cloud.storage.retry import DEFAULT_RETRY

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.storage.google_credentials import google_credentials, limited, names_in
from tests.data_servers.bigquery import BigQueryServer

ACCOUNT = json.loads(BigQueryServer().config()["service_account_credentials"])


def made(**options: str) -> Any:
    return google_credentials(ACCOUNT, options, ["scope-1"])[0]


def test_a_service_account() -> None:
    found, project = google_credentials(ACCOUNT, {}, ["scope-1"])
    assert found.service_account_email == ACCOUNT["client_email"]
    assert (found.scopes, project) == (["scope-1"], ACCOUNT.get("project_id"))
    assert made(scope="a, b").scopes == ["a", "b"]
    assert made(quota_project_id="q").quota_project_id == "q"


@pytest.mark.parametrize("chain", ["one@x", "one@x, two@x", '["one@x", "two@x"]'])
def test_impersonation(chain: str) -> None:
    found = made(impersonation_chain=chain, quota_project_id="q")
    assert isinstance(found, Impersonated)
    *delegates, target = names_in(chain)
    assert (found._target_principal, found._delegates) == (target, delegates)
    assert found._target_scopes == ["scope-1"]
    assert found.quota_project_id == "q"


def test_a_list_that_is_no_json_is_separated_by_commas() -> None:
    assert names_in("[" * 100_000 + ",a") == ["[" * 100_000, "a"]


def test_anonymous() -> None:
    assert isinstance(made(is_anonymous="true"), AnonymousCredentials)
    assert not isinstance(made(is_anonymous="false"), AnonymousCredentials)


def test_without_an_account_the_machine_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps({**ACCOUNT, "project_id": "of-the-file"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    found, project = google_credentials(None, {}, ["scope-1"])
    assert (found.service_account_email, project) == (ACCOUNT["client_email"], "of-the-file")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "gone"))
    with pytest.raises(google.auth.exceptions.DefaultCredentialsError):
        google_credentials(None, {}, ["scope-1"])


def calls_of(options: dict[str, str], error: Exception) -> int:
    """How often a call that always fails is made."""
    made = 0

    def call() -> None:
        nonlocal made
        made += 1
        raise error

    retry = limited(DEFAULT_RETRY.with_delay(0, 0, 1).with_timeout(0.5), options)
    with pytest.raises((GoogleAPICallError, RetryError)):
        retry(call)()
    return made


def test_retries_are_counted() -> None:
    assert calls_of({"num_retries": "2"}, ServiceUnavailable("busy")) == 3
    assert calls_of({"num_retries": "0"}, ServiceUnavailable("busy")) == 1
    assert calls_of({"num_retries": "2"}, Forbidden("no")) == 1
    assert calls_of({}, ServiceUnavailable("busy")) > 3
    with pytest.raises(ConfigError, match="num_retries is 'x': it must be a number"):
        limited(DEFAULT_RETRY, {"num_retries": "x"})
