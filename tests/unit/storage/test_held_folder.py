"""Temporary folders: gone with their process, while those of others stay."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aqueduct_provider.errors import DiskError, DiskRefused, is_retryable
from aqueduct_provider.storage import held_folder
from aqueduct_provider.storage.held_folder import HeldFolder, temporary_folder

HOLD = """
import sys, time
from aqueduct_provider.storage.held_folder import HeldFolder
held = HeldFolder("job")
(held.path / "file").write_text("left")
print(held.path, flush=True)
time.sleep(600)
"""
ROOT = f"aqueduct-{os.geteuid()}"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of these tests and of the processes that they start."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def holder() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process, and the folder that it holds."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        folder = Path(process.stdout.readline().strip())
    yield process, folder
    process.kill()
    process.wait()


def test_nothing_is_left_of_a_folder_that_is_closed(temporary: Path) -> None:
    with temporary_folder("job") as folder:
        assert folder.parent == temporary / ROOT
        assert (folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777) == (0o700, 0o700)
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_text("x")
        (folder / "sub").chmod(0)
    assert not list(temporary.iterdir())


def test_the_folder_of_a_killed_process_is_removed_and_that_of_a_living_one_stays(
    holder: tuple[subprocess.Popen[str], Path], temporary: Path
) -> None:
    process, folder = holder
    with temporary_folder("job"):
        assert (folder / "file").read_text() == "left"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.exists()
    seen = []
    HeldFolder("job", before_removal=seen.append).close()
    assert seen == [folder]
    assert not list(temporary.iterdir())


def test_only_folders_of_the_same_kind_are_removed(temporary: Path) -> None:
    root = temporary / ROOT
    root.mkdir(mode=0o700)
    others = ["job-short", "job-abcdefgh2", "other-abcdefgh", "job-ABCDEFGH"]
    for name in others:
        (root / name).mkdir()
    (root / "job-abcdefgh").write_text("a file")
    (root / "job-bcdefghi").symlink_to(root / "other-abcdefgh")
    (temporary / "job-abcdefgh").mkdir()
    HeldFolder("job").close()
    assert {path.name for path in root.iterdir()} == {*others, "job-abcdefgh", "job-bcdefghi"}
    assert (temporary / "job-abcdefgh").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_folder_of_another_user_is_not_used_and_not_removed(temporary: Path) -> None:
    root = temporary / ROOT
    root.mkdir(mode=0o700)
    theirs = root / "job-abcdefgh"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    HeldFolder("job").close()
    assert theirs.exists()
    os.chown(root, 12345, 12345)
    with pytest.raises(DiskRefused, match=rf"{ROOT} is not a folder of this user alone") as caught:
        HeldFolder("job")
    assert not is_retryable(caught.value)
    assert "TMPDIR" in str(caught.value)


@pytest.mark.parametrize("make", ["link", "mode", "file"])
def test_a_parent_that_others_could_have_made_is_refused(temporary: Path, make: str) -> None:
    root = temporary / ROOT
    if make == "link":
        (temporary / "elsewhere").mkdir()
        root.symlink_to(temporary / "elsewhere")
    elif make == "mode":
        root.mkdir()
        root.chmod(0o770)
    else:
        root.write_text("")
    with pytest.raises(DiskRefused, match="not a folder of this user alone"):
        HeldFolder("job")


def test_a_folder_for_temporary_files_that_has_gone_is_an_error_that_a_retry_may_solve(
    temporary: Path,
) -> None:
    assert tempfile.gettempdir() == str(temporary)
    temporary.rmdir()
    with pytest.raises(DiskError, match=f"{temporary}.*No such file.*TMPDIR") as caught:
        HeldFolder("job")
    assert is_retryable(caught.value)


def test_no_usable_folder_for_temporary_files_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/no/such"])
    with pytest.raises(DiskError, match=r"No usable temporary directory.*/proc/no/such.*TMPDIR"):
        HeldFolder("job")


def test_what_a_sweeping_process_takes_before_it_is_locked_is_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between making a folder and locking it, another process may take it for an abandoned one."""
    taken: list[Path] = []
    opened = held_folder._open

    def take_first(path: Path) -> int:
        if len(taken) < 2:
            taken.append(path)
            # The first is removed before it is opened, the second after.
            descriptor = opened(path) if len(taken) == 2 else None
            path.rmdir()
            return descriptor or opened(path)
        return opened(path)

    monkeypatch.setattr(held_folder, "_open", take_first)
    with temporary_folder("job") as folder:
        assert folder.is_dir()
        assert len({*taken, folder}) == 3


def test_processes_that_make_and_sweep_at_once_never_take_what_another_holds(temporary: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(_use_many, range(4)) == [50] * 4
    assert not list(temporary.iterdir())


def _use_many(_: int) -> int:
    held = 0
    for _ in range(50):
        with temporary_folder("job") as folder:
            (folder / "file").write_text("x")
            held += (folder / "file").exists()
    return held


def test_a_folder_in_a_cache_leaves_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "kept").write_text("")
    abandoned = cache / ".new-abcdefgh"
    abandoned.mkdir()
    with HeldFolder(".new", parent=cache) as folder:
        assert folder.parent == cache
        assert not abandoned.exists()
    assert [path.name for path in cache.iterdir()] == ["kept"]
