from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.publishing.flow_copy import FlowCopy
from aqueduct_provider.sdk.publishing.republish import NO_CHANGES, Changes, places_of, republished
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import InlineDefault, StoredDefault
from tests.support.example_specs import SHA256, VERSION_ID, native_document

STORE = {"type": "connection", "connection_id": "aqueduct_there"}
PLACE = {"connector": "Postgres", "connection_id": "warehouse"}


def copy_with(**fields: Any) -> FlowCopy:
    text = json.dumps(native_document(**fields)).encode()
    return FlowCopy(parse(text, "flow.json"), text, {"code/a.zip": b"a"})


def systems() -> FlowCopy:
    """A flow that reads from one connection, writes to another, and notifies by a third."""
    out = [{"id": "rows-value", "name": "rows", "type": "table"}]
    extract = {"id": "e", "task_id": "rows", "name": "rows", "type": "extract", "outputs": ["rows-value"]}
    load = {"id": "l", "task_id": "save", "name": "save", "type": "load", "inputs": ["rows-value"]}
    return copy_with(
        artifacts=out,
        parameters=[],
        operators=[
            {**extract, "source": {**PLACE, "queries": ["SELECT 1"]}},
            {**load, "target": {**PLACE, "connection_id": "mart", "table": "t", "update_mode": "replace"}},
        ],
        notifications=[{"type": "webhook", "connection_id": "pager"}],
    )


def test_only_the_version_and_the_store_are_new() -> None:
    git = {"commit": "0123456789" * 4, "clean": True}
    first = {"id": VERSION_ID, "message": "Why.", "git": git, "published_by": "ada", "restores": 2}
    copy = copy_with(version=first)
    made = republished(copy, STORE, NO_CHANGES, number=7, version={"published_by": "bob"})
    before, after = copy.document, FlowCopy(made.spec, made.text, made.objects).document
    version = after.pop("version")
    assert version.keys() == {"id", "number", "created_at", "git", "published_by"}
    assert version["id"] != before.pop("version")["id"]
    assert (version["number"], version["published_by"]) == (7, "bob")
    # Of its code, not of the publication.
    assert version["git"] == git
    age = datetime.now(timezone.utc) - datetime.fromisoformat(version["created_at"])
    assert age < timedelta(minutes=1)
    assert after.pop("artifact_store") == STORE
    before.pop("artifact_store")
    assert after == before
    assert made.objects == copy.objects
    assert made.spec.version.number == 7


def test_connections_are_mapped_wherever_they_are_named() -> None:
    copy = systems()
    assert [one["connection_id"] for one in places_of(copy.document)] == ["warehouse", "mart", "pager"]
    names = {"warehouse": "mart", "mart": "mart_there", "pager": "pager_there"}
    spec = republished(copy, STORE, Changes(names)).spec
    # Each is mapped once: what one is mapped to may be the name of another.
    assert spec.operators[0].source.connection_id == "mart"  # type: ignore[union-attr]
    assert spec.operators[1].target.connection_id == "mart_there"  # type: ignore[union-attr]
    assert spec.notifications[0].connection_id == "pager_there"
    # That of the store is none of the flow's.
    assert spec.artifact_store.connection_id == "aqueduct_there"  # type: ignore[union-attr]
    for unknown in ("aqueduct_there", "warehous"):
        with pytest.raises(AuthoringError, match=rf"has no Airflow connection '{unknown}'\..*'warehouse'"):
            republished(copy, STORE, Changes({unknown: "live"}))


def parameter(type_: str, default: dict[str, Any]) -> FlowCopy:
    operator = {
        "id": "p",
        "task_id": "p",
        "name": "p",
        "type": "param",
        "parameter": "p",
        "outputs": ["p-value"],
    }
    return copy_with(
        artifacts=[{"id": "p-value", "name": "p", "type": type_}],
        parameters=[{"name": "p", "type": type_, "default": default}],
        operators=[operator],
    )


def test_defaults_can_be_others_there() -> None:
    copy = parameter("numeric", {"value": 3})
    made = republished(copy, STORE, Changes(defaults={"p": 4}))
    assert made.spec.parameters[0].default == InlineDefault(value=4)
    stored = parameter("string", {"key": "k", "serialization_type": "string", "sha256": SHA256})
    assert republished(stored, STORE, Changes(defaults={"p": "x"})).spec.parameters[
        0
    ].default == InlineDefault(value="x")
    made = republished(stored, STORE, Changes(defaults={"p": "long" * 20_000}))
    default = made.spec.parameters[0].default
    assert isinstance(default, StoredDefault)
    assert made.objects[default.key] == b"long" * 20_000


@pytest.mark.parametrize(
    ("defaults", "message"),
    [
        ({"q": 1}, r"has no parameter 'q'"),
        ({"p": "four"}, r"The default of parameter 'p' .*numeric"),
    ],
)
def test_defaults_that_do_not_fit(defaults: dict[str, Any], message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        republished(parameter("numeric", {"value": 3}), STORE, Changes(defaults=defaults))
