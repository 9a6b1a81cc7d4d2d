from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

import aqueduct_provider.runner
from aqueduct_provider.execution.archive import runner_archive


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
