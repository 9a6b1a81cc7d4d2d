from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.storage.files import digest_file, expanded, replacing, usable_folder, write_digested


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
        ("~/x", "There is no home directory for this user. Set IT to a folder."),
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
