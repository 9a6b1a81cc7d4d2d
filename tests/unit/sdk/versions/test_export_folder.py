from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, DigestMismatch, NotFound, SpecError, StorageError
from aqueduct_provider.sdk.publishing.flow_copy import FlowCopy
from aqueduct_provider.sdk.versions.export_folder import read_export, write_export
from tests.support.example_specs import compiled_document
from tests.unit.sdk.publications import composition


def copy(name: str = "churn", *sources: str, default: bytes = b"model") -> FlowCopy:
    made = composition(name, *sources, default=default)
    return FlowCopy(made.spec, made.text, made.objects)


def files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_what_is_exported_is_read_back(tmp_path: Path) -> None:
    folder, made = tmp_path / "new" / "churn", copy()
    write_export(made, folder)
    assert read_export(folder) == made
    # Objects are files by their digest, as sha256sum prints it.
    for name, data in files(folder).items():
        if name.startswith("objects/"):
            assert name == f"objects/{hashlib.sha256(data).hexdigest()}"


def test_the_next_version_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    write_export(copy("churn", "f", "g"), tmp_path)
    (tmp_path / ".gitignore").write_text("kept")
    before = files(tmp_path)
    second = copy("churn", "f", "h")
    write_export(second, tmp_path)
    after = files(tmp_path)
    assert read_export(tmp_path) == second
    # What both have is the same file, so that Git shows only what changed.
    assert len(before.keys() - after.keys()) == len(after.keys() - before.keys()) == 1
    assert after[".gitignore"] == b"kept"
    write_export(second, tmp_path)
    assert files(tmp_path) == after


@pytest.mark.parametrize("there", ["notes.txt", "flow.json"])
def test_other_folders_are_left_alone(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("{}")
    with pytest.raises(AuthoringError, match=rf"something else than an export of .churn. \({there}\)"):
        write_export(copy(), tmp_path)
    assert files(tmp_path) == {there: b"{}"}


def test_another_flow_is_not_replaced(tmp_path: Path) -> None:
    write_export(copy("other"), tmp_path)
    with pytest.raises(AuthoringError, match="something else than an export of 'churn'"):
        write_export(copy(), tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "churn"):
        with pytest.raises(StorageError, match=r"file.*Fix the folder or use another"):
            write_export(copy(), folder)


def test_a_folder_that_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"it has no flow\.json"):
        read_export(tmp_path)
    (tmp_path / "flow.json").write_text("{")
    with pytest.raises(SpecError, match=r"flow\.json"):
        read_export(tmp_path)


def first_object(folder: Path) -> Path:
    return min((folder / "objects").iterdir())


def test_changed_and_missing_objects(tmp_path: Path) -> None:
    write_export(copy(), tmp_path)
    changed = first_object(tmp_path)
    changed.write_bytes(b"x")
    with pytest.raises(DigestMismatch, match=changed.name):
        read_export(tmp_path)
    changed.unlink()
    with pytest.raises(NotFound, match=f"{changed.name} is missing"):
        read_export(tmp_path)


def with_key(document: dict[str, Any]) -> None:
    document["operators"][1]["code"]["key"] = "published/other.json"


def with_default(document: dict[str, Any]) -> None:
    document["parameters"][0]["default"]["key"] = "specs/other.json"


def with_id(document: dict[str, Any]) -> None:
    document["flow"]["id"] = "0d9b7f64-58c1-4f7e-8a3e-6c1f2b5d4e90"


def with_dag(document: dict[str, Any]) -> None:
    document["dag_id"] = "other"


@pytest.mark.parametrize("change", [with_key, with_default, with_id, with_dag])
def test_a_forged_export_cannot_write_other_objects(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    write_export(copy(), tmp_path)
    path = tmp_path / "flow.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(AuthoringError, match="is not a spec that publish_flow has made"):
        read_export(tmp_path)


def test_specs_of_the_original_are_no_exports(tmp_path: Path) -> None:
    (tmp_path / "flow.json").write_text(json.dumps(compiled_document()))
    with pytest.raises(AuthoringError, match="is not a spec that publish_flow has made"):
        read_export(tmp_path)
