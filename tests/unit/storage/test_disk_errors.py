"""What is said of files and folders that fail, on real file systems, owners and folders."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from aqueduct_provider.errors import DiskError, DiskFull, DiskRefused, is_retryable
from aqueduct_provider.storage.disk_errors import disk_error, free_space, translate_disk_errors

REMEDY = "Set PLACE to another folder"


def caught_in(folder: Path, path: Path) -> DiskError:
    with pytest.raises(DiskError) as caught, translate_disk_errors(folder, REMEDY):
        path.write_bytes(b"x" * 2_000_000)
    return caught.value


def test_a_full_disk_is_named_with_what_is_free_and_may_be_retried(small_disk: Path) -> None:
    error = caught_in(small_disk, small_disk / "file")
    assert isinstance(error, DiskFull)
    assert is_retryable(error)
    text = str(error)
    assert text.startswith(f"{small_disk}: No space left on device (")
    assert text.endswith("free there). Free some space, or set PLACE to another folder.")
    assert "of 1.0 MB" in text


def test_a_disk_without_inodes_is_full_too(small_disk: Path) -> None:
    def fill() -> None:
        for number in range(10_000):
            (small_disk / str(number)).touch()

    with pytest.raises(DiskFull, match="no more files can"), translate_disk_errors(small_disk, REMEDY):
        fill()


def test_a_read_only_disk_is_refused_for_good(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    error = caught_in(small_disk, small_disk / "file")
    assert isinstance(error, DiskRefused)
    assert not is_retryable(error)
    assert f"{small_disk}/file: Read-only file system" in str(error)


def test_a_foreign_owner_is_named(foreign_user: int) -> None:
    # Above tmp_path, too, there are folders that only their owner may enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.seteuid(foreign_user)
        try:
            error = caught_in(folder, folder / "file")
        finally:
            os.seteuid(0)
    assert isinstance(error, DiskRefused)
    assert not is_retryable(error)
    assert "belongs to user root, mode 0700; this process runs as user 12345" in str(error)


def test_a_folder_that_has_gone_is_said_to_have_been_removed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.rmtree(folder)
    error = caught_in(folder, folder / "sub" / "file")
    assert type(error) is DiskError
    assert is_retryable(error)
    assert f"{folder}/sub/file: No such file or directory: something has removed it" in str(error)


def test_other_errors_and_other_files_pass(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(FileNotFoundError), translate_disk_errors(folder, REMEDY):
        (tmp_path / "other" / "file").read_text()
    with pytest.raises(ConnectionRefusedError), translate_disk_errors(folder, REMEDY):
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    full = OSError(errno.EDQUOT, "Disk quota exceeded", str(tmp_path / "other"))
    assert isinstance(disk_error(full, folder, REMEDY), DiskFull)


@pytest.mark.parametrize("name", [7, b"/bytes", "relative"])
def test_whatever_names_the_file(tmp_path: Path, name: object) -> None:
    error = disk_error(OSError(errno.ENOSPC, "No space left on device", name), tmp_path, REMEDY)
    assert str(error).startswith("/bytes: No" if name == b"/bytes" else f"{tmp_path}: No")


def test_free_space_of_what_is_not_there_is_that_of_its_disk(tmp_path: Path) -> None:
    assert free_space(tmp_path / "a" / "b") == free_space(tmp_path)


@pytest.fixture
def foreign_user() -> int:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    return 12345
