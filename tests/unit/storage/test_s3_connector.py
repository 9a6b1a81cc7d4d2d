"""The configuration of an S3 connector as settings."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.storage.s3_client import S3Settings
from aqueduct_provider.storage.s3_connector import connector_settings


def test_each_way_of_giving_credentials() -> None:
    common = {"bucket": "b-1", "region": "eu-west-1", "root_dir": "r"}
    keys = {**common, "type": "access_key", "access_key_id": "a", "secret_access_key": "s"}
    assert connector_settings({**keys, "config_file_path": "", "config_file_profile": "x"}) == S3Settings(
        **common, access_keys=("a", "s")
    )
    temporary = connector_settings({**keys, "session_token": "t"})
    assert (temporary.access_keys, temporary.session_token) == (("a", "s"), "t")
    path = {"bucket": "b-1", "type": "config_file_path", "config_file_path": "/p", "config_file_profile": "x"}
    assert connector_settings(path) == S3Settings("b-1", credentials_path="/p", credentials_profile="x")
    text = {"bucket": "b-1", "type": "config_file_content", "config_file_content": "[default]"}
    assert connector_settings(text) == S3Settings("b-1", credentials_text="[default]")


def test_how_requests_are_sent_is_the_callers() -> None:
    text = {"bucket": "b-1", "type": "config_file_content", "config_file_content": "[default]"}
    assert connector_settings(text, max_attempts=2).max_attempts == 2


@pytest.mark.parametrize(
    ("connector", "message"),
    [
        (
            {"bucket": "b"},
            "The S3 connector has no credentials: give access_key_id and secret_access_key, config_file_path",
        ),
        (
            {"type": "role"},
            "has type 'role'; it must be one of: access_key, config_file_path, config_file_con",
        ),
        (
            {"type": "access_key", "access_key_id": "a"},
            "access_key has 2 problems: bucket is missing; secret_access_key is missing.",
        ),
        ({"type": "config_file_path", "bucket": "b"}, "1 problem: config_file_path is missing"),
        ({"type": "config_file_content", "bucket": 1, "config_file_content": "x"}, "bucket must be text"),
    ],
)
def test_configurations_that_cannot_be_used(connector: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        connector_settings(connector)


def test_other_connectors_are_called_by_their_name() -> None:
    with pytest.raises(ConfigError, match="The Athena connector of type access_key has 3 problems"):
        connector_settings({"type": "access_key"}, "Athena")
