from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import (
    AuthoringError,
    DigestMismatch,
    IntegrityError,
    NotFound,
    SpecError,
    StorageError,
)
from aqueduct_provider.sdk.publishing.flow_copy import FlowCopy, objects_of
from aqueduct_provider.sdk.versions.export_folder import read_export, write_export
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.storage.layout import function_archive
from tests.support.example_specs import compiled_document
from tests.unit.sdk.publications import composition


def copy(name: str = "churn", *sources: str, default: bytes = b"model") -> FlowCopy:
    made = composition(name, *sources, default=default)
    return FlowCopy(made.spec, made.text, made.objects)


def with_code(**sources: str) -> FlowCopy:
    """A flow of one function, whose archive has these files in its folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in sources.items():
            archive.writestr(f"op/{name}", text)
    made, data = composition("churn", "f"), buffer.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    document = json.loads(made.text)
    document["operators"][1]["code"] = {"key": function_archive(digest), "sha256": digest}
    text = json.dumps(document).encode()
    spec = parse(text, "flow.json")
    objects = {key: made.objects.get(key, data) for key in objects_of(spec)}
    return FlowCopy(spec, text, objects)


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


# --- what is reviewed is what is published


CODE = {"model.py": "import own\n", "f.py": "x = 1\r\ny = 2\n", "lib/g.py": ""}


def test_all_python_text_is_there_to_be_reviewed(tmp_path: Path) -> None:
    write_export(with_code(**CODE, **{"model.pkl": "no text"}), tmp_path)
    found = {name[7:]: data.decode() for name, data in files(tmp_path).items() if name.startswith("source/")}
    assert found == {f"f0/{name}": text for name, text in CODE.items()}


def test_pytest_collects_nothing_of_it(tmp_path: Path) -> None:
    names = ["conftest.py", "test_a.py", "lib/a_test.py", "attest.py"]
    made = with_code(**dict.fromkeys(names, "x = 1\n"))
    write_export(made, tmp_path)
    assert {path.name for path in (tmp_path / "source").rglob("*.*")} == {
        *("conftest.py.txt", "test_a.py.txt", "a_test.py.txt", "attest.py")
    }
    assert read_export(tmp_path) == made


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda source: (source / "f0/f.py").write_text("x = 2\n"), "f0/f.py .*: it is changed"),
        (lambda source: (source / "f0/model.py").unlink(), "f0/model.py .*: it is missing"),
        (lambda source: (source / "f0/more.py").write_text(""), "f0/more.py .*: it is no part of that"),
        (shutil.rmtree, r"f0/f.py .*: it is missing \(2 more differ, too\)"),
    ],
    ids=["changed", "missing", "more", "none"],
)
def test_other_text_than_that_of_the_code(tmp_path: Path, change: Callable[[Path], Any], why: str) -> None:
    write_export(with_code(**CODE), tmp_path)
    change(tmp_path / "source")
    with pytest.raises(IntegrityError, match=rf"source/{why}\. Export the flow again"):
        read_export(tmp_path)


def test_code_that_was_exchanged_after_the_review(tmp_path: Path) -> None:
    """Its launcher, which differs in no version."""
    write_export(with_code(**CODE), tmp_path)
    other = with_code(**{**CODE, "model.py": "import os\n"})
    (tmp_path / "flow.json").write_bytes(other.text)
    for key, sha256 in objects_of(other.spec).items():
        (tmp_path / "objects" / sha256).write_bytes(other.objects[key])
    with pytest.raises(IntegrityError, match=r"source/f0/model\.py is not the text in objects/"):
        read_export(tmp_path)


def test_git_may_write_other_ends_of_lines(tmp_path: Path) -> None:
    made = with_code(**CODE)
    write_export(made, tmp_path)
    (tmp_path / "source/f0/f.py").write_bytes(b"x = 1\r\ny = 2\r\n")
    assert read_export(tmp_path) == made


def test_code_that_cannot_be_reviewed_is_not_exported(tmp_path: Path) -> None:
    for name in ("../../f.py", "/tmp/f.py"):
        with pytest.raises(IntegrityError, match=r"The code of 'f0' holds .* leads out of the archive"):
            write_export(with_code(**{name: ""}), tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- links


@pytest.mark.parametrize(
    "place", ["objects", "source", "flow.json", "objects/one", "source/f0/f.py", "notes"]
)
def test_links_are_not_followed(tmp_path: Path, place: str) -> None:
    folder, other = tmp_path / "review", tmp_path / "other"
    made = with_code(**CODE)
    write_export(made, folder)
    link = folder / place
    if link.exists():
        link.rename(other)
    else:
        other.mkdir()
        (other / ("a" * 64)).write_text("of another export")
    link.symlink_to(other)
    before = files(tmp_path)
    with pytest.raises(AuthoringError, match=f"{place} is a symbolic link"):
        write_export(with_code(**{"f.py": "x = 2"}), folder)
    with pytest.raises(AuthoringError, match=f"{place} is a symbolic link"):
        read_export(folder)
    assert files(tmp_path) == before


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_export(copy(), tmp_path / "link")
    assert (tmp_path / "real/flow.json").is_file()


def test_git_leaves_the_ends_of_lines_alone(tmp_path: Path) -> None:
    """Git for Windows sets ``core.autocrlf``, with which a clone has texts with other ends of lines."""
    here, there = tmp_path / "here", tmp_path / "there"
    made = copy(default=b"one\ntwo\n")
    write_export(made, here)
    settings = ("-c", "core.autocrlf=true", "-c", "user.name=a", "-c", "user.email=a@example.org")

    def git(*arguments: str) -> None:
        subprocess.run(["git", *settings, *arguments], check=True, capture_output=True)

    git("init", str(here))
    git("-C", str(here), "add", ".")
    git("-C", str(here), "commit", "-m", "an export")
    git("clone", str(here), str(there))
    assert read_export(there) == read_export(here)
    assert read_export(there).text == made.text
