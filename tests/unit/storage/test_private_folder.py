"""Who may own a folder that Airflow keeps things in, and what becomes of its mode."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.storage.private_folder import private_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True, params=[0o022, 0o002, 0o000])
def umask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_what_is_missing_is_made_for_its_owner(tmp_path: Path) -> None:
    root = tmp_path / "root"
    folder = root / "a" / "b"
    assert private_folder(folder, root=root) == folder
    assert [mode(path) for path in (root, root / "a", folder)] == [0o700] * 3
    assert private_folder(folder, root=root) == folder


def test_a_folder_without_a_root_says_nothing_of_those_above(tmp_path: Path) -> None:
    (tmp_path / "above").mkdir()
    (tmp_path / "above").chmod(0o755)
    private_folder(tmp_path / "above" / "a")
    assert (mode(tmp_path / "above"), mode(tmp_path / "above" / "a")) == (0o755, 0o700)


@pytest.mark.parametrize("lax", [0o755, 0o750, 0o770, 0o775, 0o2775, 0o711])
def test_an_own_folder_is_closed_to_others_and_that_is_logged(
    tmp_path: Path, lax: int, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "lax"
    folder.mkdir()
    folder.chmod(lax)
    with caplog.at_level(logging.WARNING):
        private_folder(folder)
        private_folder(folder)
    assert mode(folder) == 0o700
    assert [record.message for record in caplog.records] == [
        f"The folder {folder} had mode {lax:o}; it is Airflow's own and now has mode 700."
    ]


@pytest.mark.parametrize("above", [True, False])
def test_a_folder_that_everyone_can_write_to_is_refused(tmp_path: Path, above: bool) -> None:
    folder = tmp_path / "root" / "a"
    folder.mkdir(parents=True)
    (folder.parent if above else folder).chmod(0o777)
    with pytest.raises(ConfigError) as caught:
        private_folder(folder, root=folder.parent)
    assert "has mode 777, everyone can write to it: others could change what Airflow runs." in str(
        caught.value
    )
    assert "or set cache_dir in the [aqueduct] section of airflow.cfg to a folder" in str(caught.value)


@as_root
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, -1)
    with pytest.raises(ConfigError, match=r"theirs belongs to another user \(uid 12345\)"):
        private_folder(folder, setting="IT")


@as_root
def test_a_link_of_another_user_is_refused_even_to_an_own_folder(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "own")
    assert private_folder(link) == link
    os.chown(link, 12345, -1, follow_symlinks=False)
    with pytest.raises(ConfigError, match=r"link is a link of another user \(uid 12345\)"):
        private_folder(link)


@as_root
def test_an_own_link_to_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.chown(tmp_path / "theirs", 12345, -1)
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(ConfigError, match="belongs to another user"):
        private_folder(tmp_path / "link")


@as_root
@pytest.mark.parametrize(("lax", "refused"), [(0o755, False), (0o770, True), (0o700, False)])
def test_a_folder_of_root_is_used_by_others_only_when_it_is_closed(
    tmp_path: Path, lax: int, refused: bool
) -> None:
    folder = tmp_path / "roots"
    folder.mkdir()
    folder.chmod(lax)
    for path in (folder, *folder.parents):
        if path.is_relative_to(tmp_path.parent.parent) and path != folder:
            path.chmod(0o755)
    code = (
        "import os, sys, pathlib\n"
        "from aqueduct_provider.storage.private_folder import private_folder\n"
        "os.setuid(12345)\n"
        "try:\n    private_folder(pathlib.Path(sys.argv[1]))\n"
        "except Exception as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True)
    assert done.stderr == ""
    assert ("belongs to root and has mode" in done.stdout) is refused
