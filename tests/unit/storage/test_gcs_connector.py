"""The configuration of a GCS connector as settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.storage.gcs_connector import GcsSettings, connector_settings

ACCOUNT = {
    "type": "service_account",
    "client_email": "robot@project",
    "private_key": "planted-key",
    "token_uri": "https://oauth2.googleapis.com/token",
}


@pytest.mark.parametrize("given", [json.dumps(ACCOUNT), ACCOUNT], ids=["text", "object"])
def test_a_service_account(given: Any) -> None:
    config = {"bucket": "b-1", "service_account_credentials": given, "use_as_storage": ""}
    assert connector_settings(config) == GcsSettings("b-1", service_account=ACCOUNT)


def test_without_credentials() -> None:
    config = {"bucket": "gs://b-1/in", "root_dir": "r", "service_account_credentials": ""}
    assert connector_settings(config) == GcsSettings("gs://b-1/in", "r")
    local = {"bucket": "b-1", "endpoint": "http://127.0.0.1:9"}
    assert connector_settings(local) == GcsSettings("b-1", endpoint="http://127.0.0.1:9")


def test_how_requests_are_sent_is_the_callers() -> None:
    assert connector_settings({"bucket": "b-1"}, timeout=2.0).timeout == 2.0


def lacking(*names: str) -> str:
    return json.dumps({name: value for name, value in ACCOUNT.items() if name not in names})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "1 problem: bucket is missing"),
        ({"bucket": 5}, "1 problem: bucket must be text"),
        (
            {"service_account_credentials": "planted-key"},
            "2 problems: bucket is missing; service_account_credentials must be the JSON object",
        ),
        ({"bucket": "b", "service_account_credentials": "[1]"}, "must be the JSON object"),
        ({"bucket": "b", "service_account_credentials": 7}, "must be the JSON object"),
        (
            {"bucket": "b", "service_account_credentials": lacking("type")},
            "must have the type service_account",
        ),
        (
            {"bucket": "b", "service_account_credentials": lacking("token_uri", "client_email")},
            "2 problems: service_account_credentials lacks client_email; .* lacks token_uri",
        ),
        ({"bucket": "b", "service_account_credentials": {**ACCOUNT, "private_key": 5}}, "lacks private_key"),
    ],
)
def test_configurations_that_cannot_be_used(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        connector_settings(config)
    assert "planted-key" not in str(caught.value)
