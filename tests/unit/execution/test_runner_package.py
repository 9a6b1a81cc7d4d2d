from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import aqueduct_provider.runner
from aqueduct_provider.errors import DiskFull
from aqueduct_provider.execution.runner_package import runner_archive


def test_holds_every_module_of_the_runner(tmp_path: Path) -> None:
    archive = runner_archive(tmp_path / "new" / "folder")
    sources = {
        path.name: path.read_bytes() for path in Path(aqueduct_provider.runner.__path__[0]).glob("*.py")
    }
    copies = {path.name: path.read_bytes() for path in (archive / "aqueduct_runner").iterdir()}
    assert copies == sources
    assert (archive / "__main__.py").is_file()


def test_is_built_once(tmp_path: Path) -> None:
    archive = runner_archive(tmp_path)
    before = archive.stat().st_mtime_ns
    assert runner_archive(tmp_path) == archive
    assert archive.stat().st_mtime_ns == before
    assert list(tmp_path.iterdir()) == [archive]


def test_the_name_follows_the_content_alone(tmp_path: Path) -> None:
    assert runner_archive(tmp_path / "a").name == runner_archive(tmp_path / "b").name


def test_builders_in_several_processes_share_one(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        archives = pool.map(runner_archive, [tmp_path] * 16, chunksize=1)
    assert len(set(archives)) == 1
    assert list(tmp_path.iterdir()) == [archives[0]]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        runner_archive(tmp_path / "file")


def _delete(path: Path) -> None:
    path.unlink()


def _truncate(path: Path) -> None:
    path.write_text("")


@pytest.mark.parametrize("damage", [_delete, _truncate])
@pytest.mark.parametrize("name", ["__main__.py", "aqueduct_runner/invoke.py"])
def test_lost_and_changed_files_are_written_again_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None], name: str
) -> None:
    archive = runner_archive(tmp_path)
    text = (archive / name).read_bytes()
    compiled = archive / "aqueduct_runner" / "__pycache__"
    compiled.mkdir()
    damage(archive / name)
    assert runner_archive(tmp_path) == archive
    assert (archive / name).read_bytes() == text
    # It may be that of the changed file.
    assert not compiled.exists()
    (warning,) = (record.getMessage() for record in caplog.records)
    assert str(archive) in warning
    assert name in warning
    caplog.clear()
    runner_archive(tmp_path)
    assert not caplog.records


def test_a_lost_package_is_written_again(tmp_path: Path) -> None:
    archive = runner_archive(tmp_path)
    shutil.rmtree(archive / "aqueduct_runner")
    runner_archive(tmp_path)
    assert len(list((archive / "aqueduct_runner").iterdir())) > 10


def test_what_a_killed_builder_left_is_removed_by_the_next(tmp_path: Path) -> None:
    name = runner_archive(tmp_path / "other").name
    (tmp_path / f".{name}-abcdefgh").mkdir()
    assert list(tmp_path.glob(".*"))
    archive = runner_archive(tmp_path)
    assert [path for path in tmp_path.iterdir() if path.name != "other"] == [archive]


def test_a_full_disk_is_an_error_of_our_own(small_disk: Path) -> None:
    (small_disk / "filling").write_bytes(b"x" * 900_000)
    with pytest.raises(DiskFull, match=r"cache_dir in the \[aqueduct\] section"):
        runner_archive(small_disk / "runner")
    assert not list((small_disk / "runner").iterdir())
