from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from aqueduct_provider.errors import ConfigError, DiskFull, is_retryable
from aqueduct_provider.storage import files
from aqueduct_provider.storage.files import (
    copy_new,
    digest_file,
    expanded,
    is_old,
    open_no_link,
    remove_partials,
    replacing,
    usable_folder,
    write_digested,
)


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_when_the_block_fails(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


WRITE = """
import sys, time
from pathlib import Path
from aqueduct_provider.storage.files import replacing
with replacing(Path(sys.argv[1])) as file:
    print("writing", flush=True)
    time.sleep(600)
"""


def test_what_a_killed_writer_left_is_removed_and_what_is_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    command = [sys.executable, "-c", WRITE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as killed, replacing(path) as file:
        assert killed.stdout is not None
        killed.stdout.readline()
        (tmp_path / ".aqueduct-partial-folder").mkdir()
        remove_partials(tmp_path)
        assert len(list(tmp_path.iterdir())) == 3
        killed.kill()
        killed.wait()
        remove_partials(tmp_path)
        file.write(b"new")
        assert {entry.name for entry in tmp_path.iterdir()} == {
            ".aqueduct-partial-folder",
            Path(file.name).name,
        }
    assert path.read_bytes() == b"new"


def test_a_file_that_is_taken_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = files.try_lock, []

    def take_first(file: IO[bytes]) -> bool | None:
        if not taken:
            taken.append(file.name)
            Path(file.name).unlink()
        return lock(file)

    monkeypatch.setattr(files, "try_lock", take_first)
    with replacing(tmp_path / "file") as file:
        assert file.name not in taken
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_on_a_full_disk_may_be_tried_again(small_disk: Path) -> None:
    for number in range(1000):
        try:
            (small_disk / str(number)).touch()
        except OSError:
            break
    with pytest.raises(
        DiskFull, match=rf"{small_disk}.*no more files can be made.*set IT to another folder"
    ) as caught:
        usable_folder(small_disk / "folder", "IT")
    assert is_retryable(caught.value)


def test_digests_agree(tmp_path: Path) -> None:
    data = b"0123456789" * 300_000
    path = tmp_path / "file"
    with path.open("wb") as file:
        written = write_digested((data[i : i + 70_000] for i in range(0, len(data), 70_000)), file)
    assert written == digest_file(path)
    assert (written.sha256, written.size) == (hashlib.sha256(data).hexdigest(), len(data))


def test_a_folder_that_can_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert usable_folder(folder, "IT") == folder == usable_folder(folder, "IT")
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("/proc/x", "The folder /proc/x cannot be written: No such file or directory. Set IT to a folder"),
        ("{file}/x", "cannot be written: Not a directory. Set IT"),
        ("~/x", "This user has no home directory. Set IT to a folder."),
    ],
)
def test_a_folder_that_cannot(tmp_path: Path, folder: str, message: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError) as caught:
        usable_folder(Path(folder.replace("{file}", str(tmp_path / "file"))), "IT")
    assert message in str(caught.value)


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/x") == tmp_path / "x"
    assert expanded(Path("x")) == Path("x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_without_a_home() -> None:
    """Containers run with user ids that the system does not know."""
    code = "from aqueduct_provider.storage.files import expanded; import os; os.setuid(54321)"
    environ = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(expanded('~/x'))"],
        env=environ,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "~/x\n", done.stderr


@pytest.mark.parametrize(("age", "old"), [(0, False), (50, False), (70, True), (-50, False), (-70, True)])
def test_a_file_of_a_clock_that_was_set_back_does_not_stay_new(tmp_path: Path, age: int, old: bool) -> None:
    written = time.time() - age
    path = tmp_path / "file"
    path.touch()
    os.utime(path, (written, written))
    assert is_old(path.stat(), 60) is old


def test_copies_follow_no_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"planted")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic link"):
        open_no_link(tmp_path / "link")
    with pytest.raises(FileExistsError):
        copy_new(tmp_path / "secret", tmp_path / "link")
    copy_new(tmp_path / "secret", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"planted"
