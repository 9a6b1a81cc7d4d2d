"""What code inside an operator can import, in a project on disk."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aqueduct_provider.sdk.authoring.worker_imports import UndeclaredModule, imports_of_worker
from aqueduct_provider.sdk.packaging.dependency_files import dependency_files
from aqueduct_provider.sdk.packaging.user_function import UserFunction
from aqueduct_provider.sdk.settings import inside_operator

FILES = (
    "worker_one.py",
    "worker_two.py",
    "worker_package/__init__.py",
    "worker_package/a.py",
    "worker_package/b.py",
    "worker_bare/a.py",
    ".hidden/worker_hidden.py",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for file in FILES:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("X = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / ".hidden")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("worker_")]:
        del sys.modules[name]


def imported(project: Path, name: str, *files: str, requirements: tuple[str, ...] = ()) -> str:
    """The file of a module that a function with these files imports."""
    function = UserFunction(imported, requirements, files, project)
    with imports_of_worker(function, dependency_files(function, "f"), None), inside_operator():
        module = importlib.import_module(name)
    return str(module.__file__)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("worker_one", ("worker_one.py",)),
        ("worker_package", ("worker_package",)),
        ("worker_package.a", ("worker_package/__init__.py", "worker_package/a.py")),
        ("worker_bare.a", ("worker_bare",)),
    ],
)
def test_declared_modules_come_from_the_project(project: Path, name: str, files: tuple[str, ...]) -> None:
    assert imported(project, name, *files).startswith(str(project))


@pytest.mark.parametrize(
    ("name", "files", "place"),
    [
        ("worker_one", (), "worker_one.py"),
        ("worker_two", ("worker_one.py",), "worker_two.py"),
        ("worker_package", (), "worker_package"),
        ("worker_package.b", ("worker_package/__init__.py", "worker_package/a.py"), "worker_package/b.py"),
        ("worker_bare.a", (), "worker_bare"),
    ],
)
def test_others_of_the_project_are_missing(
    project: Path, name: str, files: tuple[str, ...], place: str
) -> None:
    with pytest.raises(UndeclaredModule, match=rf"\({place}\).*file_dependencies=\['{place}'\]") as caught:
        imported(project, name, *files)
    assert caught.value.name in (name, name.partition(".")[0])


def test_the_working_directory_belongs_to_the_project(project: Path, tmp_path: Path) -> None:
    function = UserFunction(imported, (), (), tmp_path / ".hidden")
    files = dependency_files(function, "f")
    with imports_of_worker(function, files, project), inside_operator(), pytest.raises(UndeclaredModule):
        importlib.import_module("worker_one")


def test_what_is_not_of_the_project_is_found_as_ever(project: Path) -> None:
    assert "hidden" in imported(project, "worker_hidden")
    sys.modules.pop("colorsys", None)
    assert imported(project, "colorsys").endswith("colorsys.py")
    with pytest.raises(ModuleNotFoundError) as caught:
        imported(project, "worker_that_is_nowhere")
    assert not isinstance(caught.value, UndeclaredModule)


def test_what_was_imported_before_stays_usable(project: Path) -> None:
    importlib.import_module("worker_one")
    assert imported(project, "worker_one")


def test_a_project_that_is_required_is_there(project: Path) -> None:
    # Not installed, so nothing but its name is known.
    assert imported(project, "worker_one", requirements=("worker-one",))


def test_code_outside_of_operators_imports_what_it_likes(project: Path) -> None:
    function = UserFunction(imported, (), (), project)
    before = sys.meta_path
    with imports_of_worker(function, dependency_files(function, "f"), None):
        assert importlib.import_module("worker_two").X == 1
    assert sys.meta_path == before
