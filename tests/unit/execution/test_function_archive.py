from __future__ import annotations

import errno
import hashlib
import io
import random
import stat
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from aqueduct_provider.errors import DigestMismatch, ObjectNotFound, RequirementsError, UnsafeArchive
from aqueduct_provider.execution.function_archive import ArchiveLimits, CodeFolder, declared_by, fetch_code
from aqueduct_provider.spec.models import Code
from aqueduct_provider.storage.local import LocalStore
from tests.support.observed_stores import DamagingStore

LIMITS = ArchiveLimits(max_bytes=10_000, max_files=10)
FILES = {
    "op/model.py": b"x = 1\n",
    "op/requirements.txt": b"six==1.16.0\n# why\ncloudpickle==3.0.0\n",
    "op/python_version.txt": b"3.11\n",
}


def _zip(files: dict[str, bytes], *, mode: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            zipped.writestr(info, data)
    return buffer.getvalue()


def _damaged(compression: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as zipped:
        zipped.writestr("op/model.py", bytes(range(256)) * 20)
    data = bytearray(buffer.getvalue())
    data[60:80] = bytes(byte ^ 0xFF for byte in data[60:80])
    return bytes(data)


def _fetch(tmp_path: Path, data: bytes, *, sha256: str = "", limits: ArchiveLimits = LIMITS) -> CodeFolder:
    store = LocalStore(tmp_path / "store")
    store.put("code.zip", data)
    code = Code.model_construct(key="code.zip", sha256=sha256, requirements=None, python_version=None)
    return fetch_code(store, code, tmp_path / "code", cache=tmp_path / "cache", limits=limits)


def test_the_archives_own_files_say_what_it_needs(tmp_path: Path) -> None:
    code = _fetch(tmp_path, _zip(FILES))
    assert (code.path / "model.py").read_bytes() == b"x = 1\n"
    assert code.requirements == ("cloudpickle==3.0.0", "six==1.16.0")
    assert code.python_version == "3.11"


def test_an_archive_without_these_files_needs_nothing(tmp_path: Path) -> None:
    code = _fetch(tmp_path, _zip({"op/model.py": b""}))
    assert (code.requirements, code.python_version) == ((), None)


def test_the_spec_has_precedence_over_the_archives_files(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.put("code.zip", _zip(FILES))
    code = Code.model_construct(key="code.zip", sha256="", requirements=("attrs",), python_version="3.12")
    folder = fetch_code(store, code, tmp_path / "code", cache=tmp_path / "cache", limits=LIMITS)
    assert (folder.requirements, folder.python_version) == (("attrs",), "3.12")


@pytest.mark.parametrize(
    ("requirements", "python"), [(None, None), (("attrs",), None), (None, "3.12"), (("attrs",), "3.12")]
)
def test_what_is_declared_is_found_without_unpacking(
    tmp_path: Path, requirements: tuple[str, ...] | None, python: str | None
) -> None:
    store = LocalStore(tmp_path / "store")
    store.put(
        "code.zip", _zip({**FILES, "op/deeper/requirements.txt": b"wrong", "op/my-requirements.txt": b"x"})
    )
    code = Code.model_construct(key="code.zip", sha256="", requirements=requirements, python_version=python)
    folder = fetch_code(store, code, tmp_path / "code", cache=tmp_path / "cache", limits=LIMITS)
    found = declared_by(code, lambda: store.get("code.zip"))
    assert found == (folder.requirements, folder.python_version)


def test_an_archive_is_not_read_where_the_spec_says_all() -> None:
    code = Code.model_construct(key="k", sha256="", requirements=("attrs",), python_version="3.12")
    assert declared_by(code, lambda: pytest.fail("read")) == (("attrs",), "3.12")
    code = Code.model_construct(key="k.zip", sha256="", requirements=None, python_version="3.12")
    with pytest.raises(UnsafeArchive, match=r"k\.zip cannot be unpacked as a zip"):
        declared_by(code, lambda: b"no zip")


def test_a_pinned_archive_is_fetched_once(tmp_path: Path) -> None:
    data = _zip(FILES)
    digest = hashlib.sha256(data).hexdigest()
    _fetch(tmp_path, data, sha256=digest)
    empty = LocalStore(tmp_path / "empty")
    code = Code.model_construct(key="gone.zip", sha256=digest, requirements=None, python_version=None)
    again = fetch_code(empty, code, tmp_path / "again", cache=tmp_path / "cache", limits=LIMITS)
    assert (again.path / "model.py").is_file()


def test_a_kept_archive_that_was_damaged_is_fetched_again(tmp_path: Path) -> None:
    data = _zip(FILES)
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / f"{digest}.zip").write_bytes(b"damaged")
    assert (_fetch(tmp_path, data, sha256=digest).path / "model.py").is_file()


def test_an_archive_that_was_damaged_on_the_way_is_fetched_once_more(tmp_path: Path) -> None:
    data, store = _zip(FILES), DamagingStore(tmp_path / "store")
    store.put("code.zip", data)
    digest = hashlib.sha256(data).hexdigest()
    code = Code.model_construct(key="code.zip", sha256=digest, requirements=None, python_version=None)
    fetched = fetch_code(store, code, tmp_path / "code", cache=tmp_path / "cache", limits=LIMITS)
    assert (fetched.path / "model.py").is_file()
    assert store.damaged == {"code.zip"}


def test_an_archive_with_another_digest_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(DigestMismatch, match=r"code\.zip was changed after it was written"):
        _fetch(tmp_path, _zip(FILES), sha256="0" * 64)
    assert list((tmp_path / "cache").iterdir()) == []
    assert not (tmp_path / "code").exists()


def test_a_missing_archive_is_an_error_with_its_key(tmp_path: Path) -> None:
    code = Code.model_construct(key="code.zip", sha256="", requirements=None, python_version=None)
    with pytest.raises(ObjectNotFound, match=r"code\.zip"):
        fetch_code(LocalStore(tmp_path), code, tmp_path / "code", cache=tmp_path / "cache", limits=LIMITS)


@pytest.mark.parametrize(
    "name", ["../evil.py", "op/../../evil.py", "/evil.py", "C:/evil.py", "op\\..\\..\\e"]
)
def test_paths_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeArchive, match="outside its folder"):
        _fetch(tmp_path, _zip({"op/model.py": b"", name: b"evil"}))
    assert not (tmp_path / "evil.py").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "which names no file"),
        (".", "which names no file"),
        ("./", "which names no file"),
        ("/", "a path outside its folder"),
        ("//", "a path outside its folder"),
        ("\\", "a path outside its folder"),
        ("\0", "which names no file"),
        ("op/./model.py", "which it holds already"),
        ("op\\model.py", "which it holds already"),
        ("op/" + "x" * 300, "a name that is too long"),
        ("op/" + "é" * 200, "a name that is too long"),
        ("op/" + "x/" * 2000, "a name that is too long"),
        ("..", "a path outside its folder"),
    ],
)
def test_odd_names_are_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UnsafeArchive, match=message) as caught:
        _fetch(tmp_path, _zip({"op/model.py": b"", name: b""}))
    assert len(str(caught.value)) < 500
    assert not (tmp_path / "code").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for data in ("one", "other"):
            zipped.writestr("op/model.py", data)
    with pytest.raises(UnsafeArchive, match="holds already"):
        _fetch(tmp_path, buffer.getvalue())


@pytest.mark.parametrize("name", ["requirements.txt", "python_version.txt"])
def test_what_says_what_is_needed_is_small(tmp_path: Path, name: str) -> None:
    data = _zip({"op/model.py": b"", f"op/{name}": b"\n" * 1_000_001})
    with pytest.raises(UnsafeArchive, match=rf"{name} has 1000001 bytes, more than 1000000"):
        _fetch(tmp_path, data, limits=ArchiveLimits(10_000_000, 10))
    code = Code.model_construct(key="code.zip", sha256="", requirements=None, python_version=None)
    with pytest.raises(UnsafeArchive, match=rf"{name} in code\.zip has 1000001 bytes"):
        declared_by(code, lambda: data)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    with pytest.raises(UnsafeArchive, match="a link or a device"):
        _fetch(tmp_path, _zip({"op/model.py": b"/etc/passwd"}, mode=kind | 0o777))


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match="archive_max_files"):
        _fetch(tmp_path, _zip({f"op/{index}": b"" for index in range(11)}))


def test_too_many_bytes_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match="archive_max_bytes"):
        _fetch(tmp_path, _zip({"op/model.py": b"0" * 10_001}))
    assert not (tmp_path / "code").exists()


@pytest.mark.parametrize("size", [0, 10])
def test_a_size_that_lies_cannot_write_more_than_it_declares(tmp_path: Path, size: int) -> None:
    data = bytearray(_zip({"op/model.py": b"0" * 5_000}))
    central = data.rfind(b"PK\x01\x02")
    data[central + 24 : central + 28] = size.to_bytes(4, "little")
    with pytest.raises(UnsafeArchive):
        _fetch(tmp_path, bytes(data))


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_archive_is_refused(tmp_path: Path, compression: int) -> None:
    with pytest.raises(UnsafeArchive, match="cannot be unpacked"):
        _fetch(tmp_path, _damaged(compression))


def test_a_path_that_is_file_and_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchive, match="cannot be unpacked"):
        _fetch(tmp_path, _zip({"op/a": b"", "op/a/b": b""}))


def test_a_full_disk_is_not_the_archives_fault(tmp_path: Path, mocker: MockerFixture) -> None:
    mocker.patch("zipfile.ZipFile.extractall", side_effect=OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        _fetch(tmp_path, _zip(FILES))


@pytest.mark.parametrize(
    "data", [b"", b"no zip", _zip({}), _zip({"a/x": b"", "b/y": b""}), _zip(FILES)[:-30]]
)
def test_what_is_no_function_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnsafeArchive, match="Publish the flow again"):
        _fetch(tmp_path, data)


def test_no_damage_to_an_archive_is_anothers_fault(tmp_path: Path) -> None:
    chance = random.Random(7)
    whole = [
        _packed(compression) for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
    ]
    for number in range(300):
        data = bytearray(chance.choice(whole))
        for _ in range(chance.choice((1, 2, 8))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        folder = tmp_path / str(number)
        with suppress(UnsafeArchive, RequirementsError):
            _fetch(folder, bytes(data), limits=ArchiveLimits(1_000_000, 100))


def _packed(compression: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as zipped:
        for name, data in FILES.items():
            zipped.writestr(name, data)
    return buffer.getvalue()
