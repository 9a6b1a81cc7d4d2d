"""Secrets are refused wherever a spec or an archive would carry them, and never repeated."""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.encode_values import encoded_default
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode
from aqueduct_provider.sdk.publishing.inline_secrets import refuse_secrets, refuse_secrets_in_text
from tests.support.node_graphs import STORE, op, param, user_function

URL = "postgresql://me:hunter2@db/shop"
# In pieces, so that this file holds none that scanners of repositories would report.
TOKEN = "ghp" + "_0123456789abcdefghijABCDEFGHIJ012345"


def refuse(*artifacts: ArtifactNode, store: dict[str, Any] | None = None) -> None:
    refuse_secrets(store or STORE, [artifact.producer for artifact in artifacts], encoded_default)


def refusal(*artifacts: ArtifactNode, store: dict[str, Any] | None = None) -> str:
    with pytest.raises(AuthoringError) as caught:
        refuse(*artifacts, store=store)
    message = str(caught.value)
    assert not [secret for secret in ("hunter2", TOKEN) if secret in message]
    return message


# --- the store and requirements


def test_a_requirement_with_credentials_is_refused() -> None:
    function = user_function(len, "pandas", "x @ git+https://me:hunter2@example.com/x.git@v1")
    text = refusal(param("p", 1), op("train", function=function))
    assert text.startswith(
        "A requirement of 'train' holds credentials: x @ git+https://***@example.com/x.git@v1."
    )
    function = user_function(len, f"x @ https://example.com/{TOKEN}/x.whl")
    assert refusal(op("train", function=function)).startswith(
        "A requirement of 'train' holds credentials. Write"
    )
    function = user_function(len, "x @ https://example.com/x.whl?token=hunter2")
    assert "x @ https://example.com/x.whl?***" in refusal(op("train", function=function))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("aws_access_key_id", "hunter2"),
        ("aws_secret_access_key", "hunter2"),
        ("password", "hunter2"),
        ("session_token", "hunter2"),
        ("endpoint_url", "https://me:hunter2@example.com"),
    ],
)
def test_a_store_with_credentials_is_refused(field: str, value: str) -> None:
    text = refusal(store={"type": "s3", "bucket": "b", field: value})
    assert f"{field} holds credentials" in text
    assert "s3_credentials_path" in text


def test_a_store_that_names_where_its_credentials_lie_is_fine() -> None:
    store = {
        "type": "s3",
        "bucket": "b",
        "endpoint_url": "https://example.com:9000",
        "credentials_path": "/aws/credentials",
        "credentials_profile": "default",
    }
    refuse(op("f", function=user_function(len, "pandas==2.0")), store=store)


# --- defaults of parameters


class Settings:
    """An object with a secret in an attribute."""

    def __init__(self) -> None:
        self.db_password = "hunter2"


class Sealed:
    """One whose text is seen in its pickle only."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


@dataclass
class Login:
    user: str
    password: str


Pair = collections.namedtuple("Pair", "user token")


@pytest.mark.parametrize(
    ("default", "place"),
    [
        (URL, ""),
        (URL.encode(), ""),
        ({"db": {"url": URL}}, ", at ['db']['url'],"),
        ([1, [URL]], ""),
        ({URL: 1}, ""),
        ({"user": "me", "password": "hunter2"}, ", at ['password'],"),
        ([{"token": "hunter2"}], ", at ['token'],"),
        ({"api_key": ["hunter2"]}, ", at ['api_key'],"),
        (Settings(), ", at .db_password,"),
        (Login("me", "hunter2"), ", at .password,"),
        (Pair("me", "hunter2"), ", at .token,"),
        (Sealed(TOKEN), ""),
        ({"x": Sealed(URL)}, ""),
        (pd.DataFrame({"a": [1], "url": [URL]}), ", at ['url'],"),
        (pd.Series(["x", URL]), ""),
    ],
    ids=repr,
)
def test_secrets_in_a_default(default: Any, place: str) -> None:
    text = refusal(param("settings", default))
    assert text.startswith(f"The default of the parameter 'settings'{place} ")
    for cure in ("connection_id", 'os.environ["NAME"]', "child_env_allow"):
        assert cure in text


@pytest.mark.parametrize("name", ["password", "db_password", "apiKey", "client_secret", "token"])
def test_secrets_by_the_name_of_a_parameter(name: str) -> None:
    text = refusal(param(name, "hunter2"))
    assert text.startswith(f"The default of the parameter {name!r} is a secret by its name")
    assert text.endswith("If it is not a secret, rename it.")
    assert f"parameter 'train:{name}'" in refusal(param(f"train:{name}", "hunter2", implicit=True))


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("token_count", "many"),
        ("max_tokens", 100),
        ("token", 5),
        ("token", None),
        ("password", ""),
        ("password_column", "pw"),
        ("pad_token", "[PAD]"),
        ("separator token", ", "),
        ("password", "${DB_PASSWORD}"),
        ("columns", ["password", "token"]),
        ("rename", {"pw": "password"}),
        ("tokens", ["hello", "world"]),
        ("primary_key", "id"),
        ("words", pd.DataFrame({"token": ["hello", "world"]})),
        ("url", "postgresql://me@db/shop"),
        ("query", "SELECT password FROM users"),
        ("model", Sealed("plain")),
        ("limit", 2**70),
    ],
)
def test_defaults_that_hold_none(name: str, default: Any) -> None:
    refuse(param(name, default))
    # An operator whose name is a secret's makes none of its arguments one.
    refuse(param(f"password:{name}", default, implicit=True))


def test_a_value_that_holds_itself() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    refuse(param("loop", loop))


def test_the_defaults_of_a_signature_travel_with_the_function() -> None:
    def fetch(table: Any, password: str = "hunter2") -> Any:
        return table, password

    text = refusal(op("fetch", function=user_function(fetch)))
    assert text.startswith("The default of the argument 'password' of 'fetch' is a secret by its name")

    def harmless(table: Any, token_count: str = "many", url: str = "https://example.com") -> Any:
        return table, token_count, url

    refuse(op("f", function=user_function(harmless)), op("g", function=user_function(print)))


# --- other texts


def document(**fields: Any) -> dict[str, Any]:
    return {
        "flow": {"name": "churn", "description": "", "tags": []},
        "schedule": None,
        "operators": [{"name": "train", "description": "", "code": {"sha256": "0" * 64, "key": "code/x"}}],
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"flow": {"name": "churn", "description": f"Uses {TOKEN}."}}, "The flow's description"),
        ({"flow": {"name": "churn", "tags": ["a", TOKEN]}}, "The flow's tags"),
        ({"schedule": {"type": "assets", "assets": ["https://me:hunter2@host/x"]}}, "The flow's assets"),
        ({"operators": [{"name": "train", "description": URL}]}, "The description of the operator 'train'"),
        ({"operators": [{"name": TOKEN}]}, "The name of the operator number 1"),
        (
            {"operators": [{"name": "q", "source": {"queries": ["SELECT 1", f"COPY x FROM '{URL}'"]}}]},
            "The queries of the operator 'q'",
        ),
        ({"parameters": [{"name": "p", "description": TOKEN}]}, "The description of the parameter 'p'"),
    ],
)
def test_secrets_in_other_texts(fields: dict[str, Any], place: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        refuse_secrets_in_text(document(**fields))
    assert str(caught.value).startswith(f"{place} holds a ")
    assert not [secret for secret in ("hunter2", TOKEN) if secret in str(caught.value)]


def test_texts_that_hold_none() -> None:
    refuse_secrets_in_text(document())
    description = "The password is read from DB_PASSWORD; url: such as postgresql://user:password@host/db."
    refuse_secrets_in_text(document(operators=[{"name": "token", "description": description}]))
