from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.artifacts.function_source import SourceFile, function_source, reviewed_source
from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.sdk.packaging import entry_file
from aqueduct_provider.spec.models import Code
from aqueduct_provider.storage.s3 import S3Store
from tests.support.flow_runs import function_zip
from tests.support.played_runs import store_at

ENTRY = Path(entry_file.__file__).read_text("utf-8")


@pytest.fixture
def store(bucket: str, s3_server: str, credentials_file: Path) -> S3Store:
    return store_at(bucket, s3_server, credentials_file)


def code(store: S3Store, data: bytes, **fields: Any) -> Code:
    store.put("code.zip", data)
    return Code(**{"key": "code.zip", "sha256": hashlib.sha256(data).hexdigest(), **fields})


def test_an_archive_of_the_sdk(store: S3Store) -> None:
    files = {
        "train.py": "def train(): ...\n",
        "helpers/more.py": "x = 1\n",
        "requirements.txt": "pandas\n\nscikit-learn\n",
        "python_version.txt": "3.11",
        "model.pkl": "not shown",
    }
    found = function_source(store, code(store, function_zip(ENTRY, **files)))
    assert found.files == (
        SourceFile("train.py", "def train(): ...\n"),
        SourceFile("helpers/more.py", "x = 1\n"),
    )
    assert found.requirements == ("pandas", "scikit-learn")
    assert (found.python_version, found.problem) == ("3.11", "")
    assert found.limits() == []
    assert found.members.keys() == {"model.py", *files}


def test_another_entry_file_is_shown(store: S3Store) -> None:
    entry = ENTRY + "print('more')\n"
    found = function_source(store, code(store, function_zip(entry, **{"train.py": "x\n"})))
    assert found.files == (SourceFile("train.py", "x\n"), SourceFile("model.py", entry))


def test_members_are_told_apart_by_their_bytes(store: S3Store) -> None:
    first, same, other = (
        function_source(store, code(store, function_zip("x = 1\n", **{"model.pkl": data}))).members
        for data in ("one", "one", "two")
    )
    assert first == same
    assert [name for name in first if first[name] != other[name]] == ["model.pkl"]


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0c", "\x1c", "\x0b"])
def test_lines_end_where_python_ends_them(mark: str) -> None:
    text = f"a{mark}b\r\nc\rd\n"
    assert SourceFile("x.py", text).lines() == [f"a{mark}b", "c", "d"]
    assert SourceFile("x.py", text + "e").lines() == [f"a{mark}b", "c", "d", "e"]


def test_an_archive_that_was_made_by_hand(store: S3Store) -> None:
    data = function_zip("def predict(): ...\n")
    found = function_source(store, code(store, data, requirements=("a==1",), python_version="3.12"))
    assert found.files == (SourceFile("model.py", "def predict(): ...\n"),)
    assert (found.requirements, found.python_version) == (("a==1",), "3.12")


def test_what_is_in_it_is_limited(store: S3Store) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("op/bomb.py", b"#" * 50_000_000)
        archive.writestr("op/bad.py", b"\xff\xfe")
        archive.writestr("outside.py", b"")
        for number in range(30):
            archive.writestr(f"op/m{number}.py", b"")
    found = function_source(store, code(store, buffer.getvalue()))
    assert len(found.files) == 10
    assert (found.files[0].name, len(found.files[0].text), found.files[0].is_cut) == (
        "bomb.py",
        200_000,
        True,
    )
    assert found.files[1] == SourceFile("bad.py", "\\xff\\xfe")
    assert found.limits() == [
        "bomb.py is longer than is read here.",
        "23 more files of Python are not read here.",
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_more_than_is_asked_for_are_left_out(store: S3Store, method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("op/bomb.py", b"#" * 1_000_000)
    assert function_source(store, code(store, buffer.getvalue())).files == ()


def test_all_files_together_are_limited(store: S3Store) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(30):
            archive.writestr(f"op/{number}.txt", b"#" * 200_000)
        archive.writestr("op/last.py", b"x = 1")
    assert function_source(store, code(store, buffer.getvalue())).files == ()


def test_damaged_entries(store: S3Store) -> None:
    data = bytearray(function_zip("def predict(): ...\n" * 100))
    start = data.index(b"model.py") + len(b"model.py")
    data[start : start + 40] = b"\xff" * 40
    assert "is not a zip that can be read" in function_source(store, code(store, bytes(data))).problem


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"not a zip"])
def test_what_is_not_a_zip(store: S3Store, data: bytes) -> None:
    assert "is not a zip that can be read" in function_source(store, code(store, data)).problem


def test_an_encrypted_entry(store: S3Store) -> None:
    data = bytearray(function_zip("x"))
    # The flag of encryption, in both headers of the entry.
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "is not a zip that can be read" in function_source(store, code(store, bytes(data))).problem


def test_what_was_changed_or_is_gone(store: S3Store) -> None:
    known = code(store, function_zip("x = 1\n"))
    assert "at most 10 are read here" in function_source(store, known, 10).problem
    store.put("code.zip", b"other")
    assert "was changed after it was written" in function_source(store, known).problem
    store.delete(["code.zip"])
    assert "code.zip" in function_source(store, known).problem


def zipped(*names: str, compression: int = zipfile.ZIP_DEFLATED, size: int = 1) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")
        for name in names:
            archive.writestr(name, b"#" * size)
    return buffer.getvalue()


def test_a_review_leaves_nothing_out() -> None:
    names = [f"op/m{number}.py" for number in range(30)]
    found = reviewed_source(zipped("op/model.py", "op/model.pkl", *names, size=300_000), "code")
    assert found.keys() == {"model.py", *(name[3:] for name in names)}
    assert set(found.values()) == {"#" * 300_000}
    assert reviewed_source(b"not a zip", "code") == {}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zipped("op/a.py", compression=zipfile.ZIP_LZMA), "'a.py'.*compressed in a way"),
        (zipped("op/../a.py"), "leads out of the archive"),
        (zipped("op/a.py", "op/a.py"), "it is there twice"),
        (zipped("op/a.py", "op/b.py", size=40_000_000), "'b.py'.*more than 64,000,000 bytes"),
    ],
    ids=["lzma", "outside", "twice", "bomb"],
)
def test_what_cannot_be_reviewed(data: bytes, why: str) -> None:
    with pytest.raises(IntegrityError, match=why):
        reviewed_source(data, "code")


def test_text_that_is_not_known() -> None:
    assert not SourceFile(
        "f.py", "# The source text of 'f' is not known: it was not defined in a file.\n"
    ).is_known
    assert SourceFile("f.py", "def f(): ...\n").is_known
