from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import pytest

from aqueduct_provider.bundles import latest
from aqueduct_provider.bundles.contents import content_path
from aqueduct_provider.bundles.latest import drop_unused, last_look, scan, state_of
from aqueduct_provider.spec_sources.listing import Listing
from tests.unit.bundles.conftest import Bundle, Write, flow


def marks(bundle: Bundle) -> dict[str, int]:
    return {name: path.stat().st_mtime_ns for name, path in bundle.stubs.items()}


def test_a_stub_changes_exactly_when_its_spec_does(bundle: Bundle, write: Write, specs: Path) -> None:
    for name in ("a", "b", "c"):
        write(f"{name}.json", flow(name))
    first = bundle.refresh()
    before, ids = marks(bundle), {state.dag_id for state in first.version.files.values()}
    assert ids == {"a", "b", "c"}
    assert set(before) == {"a.json.py", "b.json.py", "c.json.py"}

    assert bundle.refresh() == first
    assert marks(bundle) == before

    write("b.json", flow("b", schedule=None))
    (specs / "c.json").unlink()
    write("d.json", flow("d"))
    second = bundle.refresh()
    after = marks(bundle)
    assert set(after) == {"a.json.py", "b.json.py", "d.json.py"}
    assert after["a.json.py"] == before["a.json.py"]
    assert after["b.json.py"] != before["b.json.py"]
    assert second.version.id != first.version.id


def test_python_compiles_a_stub_anew_whenever_it_changes(bundle: Bundle, write: Write) -> None:
    """Within one second, too: stubs have one size, and Python compares whole seconds."""
    for description in ("one", "two", "three"):
        document = flow("a")
        document["flow"]["description"] = description
        write("a.json", document)
        bundle.refresh()
        stub = bundle.stubs["a.json.py"]
        (dag,) = bundle.load(stub).values()
        assert dag.doc_md.startswith(description)
    (Path(bundle.source.folder) / "a.json").unlink()
    bundle.refresh()
    assert not list(bundle.base.rglob("*.pyc"))


def test_a_spec_written_again_with_the_same_content_changes_nothing(bundle: Bundle, write: Write) -> None:
    write("a.json", flow("a"))
    first, before = bundle.refresh(), marks(bundle)
    path = write("a.json", flow("a"))
    os.utime(path, ns=(1, 1))
    assert bundle.refresh().version.id == first.version.id
    assert marks(bundle) == before


def test_unchanged_specs_are_not_read(bundle: Bundle, write: Write) -> None:
    path = write("a.json", flow("a"))
    first = bundle.refresh()
    mark = path.stat()
    path.write_bytes(b"?" * mark.st_size)
    os.utime(path, ns=(mark.st_atime_ns, mark.st_mtime_ns))
    assert bundle.refresh().version.id == first.version.id


def test_lost_stubs_come_back_and_strangers_go(bundle: Bundle, write: Write) -> None:
    write("a.json", flow("a"))
    bundle.refresh()
    bundle.stubs["a.json.py"].unlink()
    (bundle.base / "tracking" / "stranger.py").touch()
    bundle.refresh()
    assert set(bundle.stubs) == {"a.json.py"}


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"version": 9}', '{"version": 1}', '{"version": 1, "stamps": 2}']
)
def test_a_damaged_state_is_made_anew(bundle: Bundle, write: Write, damage: str) -> None:
    write("a.json", flow("a"))
    first = bundle.refresh()
    (bundle.base / ".aqueduct-head.json").write_text(damage)
    assert state_of(bundle.base) is None
    assert bundle.refresh() == first


def test_foreign_files_are_left_alone(bundle: Bundle, write: Write, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    write("package.json", {"name": "x"})
    write("notes.txt", "x")
    write(".hidden.json", flow("hidden"))
    assert bundle.refresh().version.files == {}
    assert bundle.stubs == {}
    assert "package.json is not an Aqueduct spec" in caplog.text


def test_what_cannot_be_read_is_a_problem_of_its_stub(bundle: Bundle, specs: Path) -> None:
    (specs / "folder.json").mkdir()
    (specs / "link.json").symlink_to("nowhere")
    (specs / "huge.json").touch()
    os.truncate(specs / "huge.json", latest.MAX_BYTES + 1)
    files = bundle.refresh().version.files
    assert "not a file" in files["folder.json"].problem
    assert "not a file" in files["link.json"].problem
    assert "larger than 16 MiB" in files["huge.json"].problem
    assert len(bundle.stubs) == 3


def test_problems_of_the_source_have_stubs(bundle: Bundle, specs: Path) -> None:
    found = scan(Listing(specs, (), "s3://b/", {"a.json": "AccessDenied"}), bundle.base, None)
    assert found.version.files["a.json"].problem == "AccessDenied"
    assert "AccessDenied" in latest.stubs_of(found.version)["a.json.py"]


def test_an_error_in_reading_a_spec_stops_nothing(
    bundle: Bundle, write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(data: bytes, source: str) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("aqueduct_provider.spec.loader.parse", fail)
    write("a.json", flow("a"))
    assert bundle.refresh().version.files["a.json"].dag_id == ""
    assert "RuntimeError" in caplog.text
    assert "a secret" not in caplog.text


def test_contents_are_for_their_owner_alone_and_go_when_unused(bundle: Bundle, write: Write) -> None:
    write("a.json", flow("a"))
    (old,) = bundle.refresh().version.files.values()
    assert content_path(bundle.base, old.sha256).stat().st_mode & 0o077 == 0
    write("a.json", flow("a", schedule=None))
    state = bundle.refresh()
    drop_unused(bundle.base, state)
    assert content_path(bundle.base, old.sha256).exists()
    long_ago = time.time() - 2 * 86_400
    for path in (bundle.base / "contents").iterdir():
        os.utime(path, (long_ago, long_ago))
    drop_unused(bundle.base, state)
    (new,) = state.version.files.values()
    assert [path.stem for path in (bundle.base / "contents").iterdir()] == [new.sha256]


def test_the_last_look_is_remembered(bundle: Bundle, write: Write) -> None:
    assert last_look(bundle.base) == 0
    write("a.json", flow("a"))
    bundle.refresh()
    assert abs(last_look(bundle.base) - time.time()) < 60
