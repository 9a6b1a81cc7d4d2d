from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.sdk.publishing.flow_names import dag_id_of, flow_id_of
from aqueduct_provider.sdk.publishing.flow_record import FlowRecord, PublishedVersion
from aqueduct_provider.sdk.publishing.registry import Registry
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import Code, WorkflowSpec
from aqueduct_provider.storage.layout import FlowLayout
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.ui.version_changes import FewSources, changes_of, versions_of
from tests.support.example_specs import call_operator, native_document
from tests.support.function_archives import function_archive, function_of_a_notebook

NEW, OLD, GONE = (f"{n}f0c1a8e-3b7d-4c52-9e61-2a4d8f7b6c10" for n in (5, 4, 3))
MOMENT = datetime(2026, 1, 31, tzinfo=timezone.utc)


def spec(**changes: Any) -> WorkflowSpec:
    return parse(json.dumps(native_document(**changes)).encode(), "test")


def changed(**fields: Any) -> dict[str, Any]:
    """A document whose operator ``train`` has these fields."""
    document = native_document()
    (train,) = (one for one in document["operators"] if one["name"] == "train")
    train.update(fields)
    return document


@pytest.mark.parametrize(
    ("document", "sentences"),
    [
        (native_document(), ["published again without changes"]),
        (changed(id="another-id"), ["published again without changes"]),
        (changed(retries=7), ["changed train"]),
        (native_document(schedule=None), ["changed the schedule"]),
        (
            {
                **native_document(),
                "operators": [
                    *native_document()["operators"][:-1],
                    *(call_operator(f"new_{n}", inputs=[]) for n in range(7)),
                ],
                "artifacts": [
                    *native_document()["artifacts"],
                    *({"id": f"new_{n}-value", "name": f"new_{n}", "type": "untyped"} for n in range(7)),
                ],
            },
            ["added new_0, new_1, new_2, new_3, new_4 and 2 more", "removed train_runtime"],
        ),
    ],
)
def test_changes(document: dict[str, Any], sentences: list[str], tmp_path: Path) -> None:
    if "train_runtime" in str(sentences):
        document["artifacts"] = [one for one in document["artifacts"] if one["name"] != "train_runtime"]
    after = parse(json.dumps(document).encode(), "test")
    assert changes_of(spec(), after, FewSources(LocalStore(tmp_path))) == sentences


def test_versions_from_the_store(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    registry = Registry(store)
    assert versions_of(registry, "churn", NEW) == []
    flow_id = flow_id_of("churn")
    for version, schedule in ((NEW, None), (OLD, native_document()["schedule"])):
        text = json.dumps(native_document(version={"id": version}, schedule=schedule))
        store.put(FlowLayout(flow_id).version(version), text.encode())
    earlier = tuple(PublishedVersion(one, MOMENT - timedelta(days=1)) for one in (OLD, GONE))
    record = FlowRecord(
        flow_id, "churn", dag_id_of("churn"), NEW, MOMENT, "x", "", "", earlier=earlier, number=2
    )
    registry.put(record)
    new, old, gone = versions_of(registry, "churn", OLD)
    assert (new.version_id, new.is_shown, new.changes) == (NEW, False, ["changed the schedule"])
    assert (new.name, old.name) == ("v2 (5f0c1a8e)", "4f0c1a8e")
    # Its spec is there, that of the one before was deleted.
    assert (old.is_shown, old.changes, gone.changes) == (True, None, None)


def test_few_archives_are_read_each_once(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    archives = {f"functions/{n}": function_archive(function_of_a_notebook(), [f"n=={n}"]) for n in range(42)}
    codes = []
    for key, archive in archives.items():
        store.put(key, archive)
        codes.append(Code(key=key, sha256=hashlib.sha256(archive).hexdigest(), python_version="3.11"))
    sources = FewSources(store)
    assert [bool(sources(code).problem) for code in codes] == [False] * 40 + [True] * 2
    store.delete([codes[0].key])
    assert sources(codes[0]).requirements[0] == "n==0"
