"""Archives are loaded in a process of its own before they are published."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging import load_check
from aqueduct_provider.sdk.packaging.load_check import unloadable
from aqueduct_provider.sdk.packaging.package import package
from aqueduct_provider.sdk.packaging.user_function import UserFunction


class Loads:
    """Calls a function when it is unpickled."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call = call, arguments

    def __reduce__(self) -> Any:
        return self.call


class Demanding(type):
    def __new__(cls, name: str, bases: Any, content: Any, *, label: str) -> Any:
        return super().__new__(cls, name, bases, content)


class Labelled(metaclass=Demanding, label="x"):
    pass


def plain() -> int:
    return 1


def needs_label() -> Any:
    return Labelled


def archive(value: Any, folder: Path | None = None, *files: str, requirements: tuple[str, ...] = ()) -> bytes:
    """The archive of a function that holds the value."""
    call = value if callable(value) else (lambda: value)
    return package(UserFunction(call, requirements, files, folder or Path.cwd()), "f").data


def reason(*archives: bytes) -> str:
    """Why those that do not load do not, a line for each."""
    errors = unloadable([(f"f{number}", data) for number, data in enumerate(archives)])
    assert len(errors) == len(archives)
    found = [error for error in errors if error]
    assert found
    assert {type(error) for error in found} == {PackagingError}
    return "\n".join(map(str, found))


@pytest.fixture(autouse=True)
def nothing_is_loaded_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_check, "_loaded", set())


def test_what_loads_passes_and_is_not_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive(plain)
    assert not any(unloadable([("f", data), ("g", data)]))
    monkeypatch.setattr(load_check, "_faults", None)
    assert not any(unloadable([("f", data)]))
    assert not any(unloadable([]))


def test_what_does_not_load_is_refused_with_the_reason() -> None:
    found = reason(archive(needs_label))
    assert found.startswith(
        "'f0' can be pickled, but a worker could not load it: TypeError: Demanding.__new__()"
    )
    assert "missing 1 required keyword-only argument: 'label'. Create what it refers to" in found


def test_all_are_named() -> None:
    found = reason(archive(needs_label), archive(plain), archive(Loads(sys.exit, "bye")))
    lines = found.splitlines()
    assert [line[:3] for line in lines] == ["'f0", "'f2"]
    assert "SystemExit: bye" in lines[1]


def test_one_that_ends_the_process() -> None:
    assert "ends the process with exit code 7" in reason(archive(plain), archive(Loads(os._exit, 7)))
    assert "crashes Python (SIGSEGV)" in reason(archive(Loads(ctypes.string_at, 0)))


def test_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_check, "TIMEOUT", 2)
    assert "it was not loaded within 2 seconds" in reason(archive(Loads(time.sleep, 1000)))
    assert "EOFError" in reason(archive(Loads(input)))


def test_modules_of_the_user_are_loaded_and_none_is_left_for_the_next(tmp_path: Path) -> None:
    def using(text: str, name: str) -> bytes:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "helping.py").write_text(text)
        return archive(Loads(__import__, "helping"), folder, "helping.py")

    good, bad = using("X = 1", "good"), using("raise ValueError('no\\nyes')", "bad")
    assert not any(unloadable([("f", good), ("g", using("import helping\nX = 2", "other"))]))
    assert "'f1' can be pickled, but a worker could not load it: ValueError: no." in reason(good, bad)
    lost = using("from helping import missing", "lost")
    assert "ImportError: cannot import name 'missing' from" in reason(good, lost)


def test_what_cannot_be_judged_here_passes(tmp_path: Path) -> None:
    (tmp_path / "asking.py").write_text("import os\nKEY = os.environ['A_KEY_OF_WORKERS']\n")
    absent = archive(Loads(__import__, "not_installed_here"), requirements=("not-installed-here==1",))
    assert not any(
        unloadable([("f", absent), ("g", archive(Loads(__import__, "asking"), tmp_path, "asking.py"))])
    )


def test_the_process_has_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MY_PASSWORD", "secret")
    monkeypatch.setenv("https_proxy", "http://me:secret@proxy")
    (tmp_path / "looking.py").write_text("import os\nassert 'secret' not in str(os.environ), 'seen'\n")
    assert not any(unloadable([("f", archive(Loads(__import__, "looking"), tmp_path, "looking.py"))]))


def test_a_python_that_is_not_there_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive(needs_label)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert not any(unloadable([("f", data)]))
    monkeypatch.setattr(sys, "executable", "")
    assert not any(unloadable([("f", data)]))
