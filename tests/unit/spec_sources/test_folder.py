from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.document import content
from aqueduct_provider.spec_sources import folder as subject
from aqueduct_provider.spec_sources.folder import Folder, names_with
from aqueduct_provider.spec_sources.listing import Place

MANY = 120
HOUR_NS = 3600 * 10**9


def spec(dag_id: str) -> str:
    return json.dumps({"spec_version": 1, "dag_id": dag_id, "operators": []})


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """More specs than are read each time, none of them named after its DAG."""
    specs = tmp_path / "specs"
    specs.mkdir()
    for number in range(MANY):
        (specs / f"spec {number:03}.json").write_text(spec(f"flow_{number}"))
    return specs


@pytest.fixture(autouse=True)
def cache(tmp_path: Path) -> Iterator[Path]:
    cache = tmp_path / "cache"
    # What is kept of a file that has just been written is not believed: these have been there for an hour.
    later = subject.time.time_ns() + HOUR_NS
    with (
        patch.object(subject.config, "cache_dir", lambda: cache),
        patch.object(subject.time, "time_ns", lambda: later),
    ):
        yield cache


def reads(folder: Path, dag_id: str) -> tuple[tuple[str, ...], list[str]]:
    """What is found, and the files that are read for it."""
    read: list[str] = []

    def counted(path: Path) -> bytes:
        read.append(path.name)
        return content(path)

    with patch.object(subject, "content", counted):
        return names_with(folder, dag_id), read


def test_all_specs_of_a_folder_that_changes(tmp_path: Path) -> None:
    source = Folder(tmp_path)
    assert source.place() == Place(tmp_path, ())
    (tmp_path / "a.json").touch()
    assert source.place() == Place(tmp_path, ("a.json",))


def test_the_file_named_after_the_dag_comes_first_and_alone(tmp_path: Path) -> None:
    for name in ("a.json", "churn.json", "z.json"):
        (tmp_path / name).write_text(spec("churn"))
    places = Folder(tmp_path).places_with("churn")
    with patch.object(subject, "names_with", side_effect=AssertionError("the others are not needed yet")):
        assert next(places) == Place(tmp_path, ("churn.json",))
    assert next(Folder(tmp_path).places_with("other")) == Place(tmp_path, ("a.json", "churn.json", "z.json"))
    assert [place.names for place in Folder(tmp_path).places_with("churn")] == [
        ("churn.json",),
        ("a.json", "z.json"),
    ]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be listed"):
        list(Folder(tmp_path / "gone").places_with("churn"))


def test_many_files_are_read_once(specs: Path) -> None:
    found, read = reads(specs, "flow_7")
    assert (found, len(read)) == (("spec 007.json",), MANY)
    assert reads(specs, "flow_7") == (("spec 007.json",), [])
    assert reads(specs, "flow_119") == (("spec 119.json",), [])
    assert reads(specs, "unknown") == ((), [])


def test_only_what_changed_is_read_again(specs: Path) -> None:
    reads(specs, "flow_7")
    (specs / "spec 003.json").write_text(spec("flow_7"))
    (specs / "new.json").write_text(spec("flow_7"))
    (specs / "spec 007.json").unlink()
    found, read = reads(specs, "flow_7")
    assert found == ("new.json", "spec 003.json")
    assert sorted(read) == ["new.json", "spec 003.json"]


@pytest.mark.parametrize("how", ["in place", "replaced"])
def test_a_file_of_the_same_size_and_time_is_seen(specs: Path, how: str) -> None:
    reads(specs, "flow_7")
    path = specs / "spec 007.json"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    written = path if how == "in place" else specs / "written"
    written.write_text(spec("flow_x"))
    os.utime(written, ns=times)
    if how != "in place":
        written.replace(path)
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (times[1], len(spec("flow_7")))
    assert reads(specs, "flow_x")[0] == ("spec 007.json",)
    assert reads(specs, "flow_7")[0] == ()


def test_nothing_is_kept_of_fresh_files(specs: Path) -> None:
    now = max(path.stat().st_ctime_ns for path in specs.iterdir())
    with patch.object(subject.time, "time_ns", lambda: now):
        assert len(reads(specs, "flow_7")[1]) == MANY
        assert len(reads(specs, "flow_7")[1]) == MANY
    assert len(reads(specs, "flow_7")[1]) == MANY
    assert reads(specs, "flow_7")[1] == []


def test_one_that_is_cut_off_is_among_them(specs: Path) -> None:
    (specs / "cut.json").write_text('{"spec_version": 1, "dag_id" :\n "flow_7')
    assert reads(specs, "flow_7")[0] == ("cut.json", "spec 007.json")


def test_what_is_no_file_or_cannot_be_read_is_left_out(specs: Path) -> None:
    (specs / "link.json").symlink_to(specs / "gone")
    (specs / "folder.json").mkdir()
    os.mkfifo(specs / "pipe.json")
    assert reads(specs, "flow_7")[0] == ("spec 007.json",)
    (specs / "gone").write_text(spec("flow_7"))
    assert reads(specs, "flow_7")[0] == ("link.json", "spec 007.json")


def test_few_files_are_not_kept(specs: Path, cache: Path) -> None:
    for number in range(50):
        (specs / f"spec {number:03}.json").unlink()
    assert len(names_with(specs, "flow_7")) == MANY - 50
    assert not cache.exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"version": 0, "files": {}}', '{"version": 1, "files": 3}']
)
def test_what_was_kept_is_broken(specs: Path, cache: Path, text: str) -> None:
    reads(specs, "flow_7")
    (kept,) = (cache / "dag-ids").iterdir()
    kept.write_text(text)
    assert reads(specs, "flow_7")[0] == ("spec 007.json",)
    assert reads(specs, "flow_7") == (("spec 007.json",), [])


def test_what_others_can_write_is_not_believed(specs: Path, cache: Path) -> None:
    reads(specs, "flow_7")
    (kept,) = (cache / "dag-ids").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text(kept.read_text().replace("flow_7", "flow_none"))
    assert reads(specs, "flow_7")[0] == ()
    kept.chmod(0o602)
    assert reads(specs, "flow_7")[0] == ("spec 007.json",)


def test_nothing_can_be_kept(specs: Path, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache.write_text("no folder")
    caplog.set_level("INFO")
    for _ in range(2):
        found, read = reads(specs, "flow_7")
        assert (found, len(read)) == (("spec 007.json",), MANY)
    assert f"The DAG ids of the specs in {specs} are not kept" in caplog.text
