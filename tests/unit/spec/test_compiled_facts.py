"""The secrets of the compiled dialect: all of them, and nothing that would blacken a whole log."""

from __future__ import annotations

from pydantic import SecretStr

from aqueduct_provider.spec.compiled_facts import Compiled


def test_keys_of_the_storage_and_of_connectors_are_secrets_and_settings_are_not() -> None:
    compiled = Compiled(
        {},
        (SecretStr("id"), SecretStr("key")),
        {
            "op": {
                "type": "access_key",
                "secret_access_key": "s3cret",
                "bucket": "data",
                "use_as_storage": "true",
            }
        },
    )
    assert compiled.secrets == ("id", "key", "s3cret")


def test_the_keys_inside_a_credentials_file_are_secrets_of_their_own() -> None:
    content = (
        "[a]\naws_access_key_id = AKIA\n  AWS_SECRET_ACCESS_KEY=abc\nregion = us-east-2\noutput = json\n"
    )
    compiled = Compiled({}, None, {"op": {"config_file_content": content, "config_file_path": ""}})
    assert compiled.secrets == (content, "AKIA", "abc")


def test_no_secret_is_shown() -> None:
    compiled = Compiled({}, (SecretStr("id"), SecretStr("key")), {"op": {"password": "hunter2"}})
    assert "hunter2" not in repr(compiled)
    assert "key'" not in repr(compiled)
