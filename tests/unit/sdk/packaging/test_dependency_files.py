from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging.dependency_files import DependencyFiles, dependency_files
from aqueduct_provider.sdk.packaging.user_function import UserFunction


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path in (
        "data.csv",
        "lib/__init__.py",
        "lib/b.py",
        "lib/a.py",
        "lib/deep/x.txt",
        "lib/.hidden",
        "lib/.git/config",
        "lib/__pycache__/a.cpython-311.pyc",
        ".env",
        "model.py",
        "sub/model.py",
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (tmp_path / "outside.txt").touch()
    return root


def found(folder: Path, *paths: str) -> list[str]:
    return list(collected(folder, *paths).files)


def collected(folder: Path, *paths: str) -> DependencyFiles:
    return dependency_files(UserFunction(found, (), paths, folder), "train")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ((), []),
        (("data.csv",), ["data.csv"]),
        (("./lib/../data.csv",), ["data.csv"]),
        (("lib", "lib/a.py"), ["lib/__init__.py", "lib/a.py", "lib/b.py", "lib/deep/x.txt"]),
        (("lib", "data.csv"), ["data.csv", "lib/__init__.py", "lib/a.py", "lib/b.py", "lib/deep/x.txt"]),
        (("lib/deep/",), ["lib/deep/x.txt"]),
        ((".env",), [".env"]),
        (("sub",), ["sub/model.py"]),
    ],
)
def test_files_and_folders(folder: Path, paths: tuple[str, ...], expected: list[str]) -> None:
    assert found(folder, *paths) == expected


def test_an_absolute_path_in_the_folder(folder: Path) -> None:
    assert found(folder, str(folder / "data.csv")) == ["data.csv"]
    assert collected(folder, "data.csv").files == {"data.csv": folder.resolve() / "data.csv"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing.csv", r"'missing\.csv' is not there; it was looked for in .*project"),
        ("../outside.txt", r"'\.\./outside\.txt' leads out of .*project"),
        ("..", r"'\.\.' leads out of"),
        (os.devnull, r"'/dev/null' leads out of"),
        ("model.py", r"'model\.py' would replace model\.py"),
        ("empty", r"'empty' holds no files"),
        ("pipe", r"'pipe' is neither a file nor a folder"),
        ("link-out.txt", r"'link-out\.txt' leads out of"),
        ("links", r"'links' holds 'out', which leads out of"),
        ("loop", r"'loop' holds 'again', a link to a folder that it is in"),
    ],
)
def test_what_cannot_be_taken_along_is_refused_by_path(folder: Path, path: str, reason: str) -> None:
    (folder / "empty/.git").mkdir(parents=True)
    os.mkfifo(folder / "pipe")
    (folder / "link-out.txt").symlink_to(folder.parent / "outside.txt")
    for name, target in {"links/out": folder.parent, "loop/again": folder / "loop"}.items():
        (folder / name).parent.mkdir()
        (folder / name).symlink_to(target)
    with pytest.raises(PackagingError, match=rf"^file_dependencies of 'train': .*{reason}"):
        found(folder, path)


@pytest.mark.parametrize("again", ["data.csv", "./lib/../data.csv"])
def test_what_is_named_twice_is_refused(folder: Path, again: str) -> None:
    with pytest.raises(PackagingError, match=rf"'{re.escape(again)}' is named twice\. Remove one"):
        found(folder, "data.csv", again)


def test_the_whole_folder_may_be_named_unless_it_holds_such_a_file(folder: Path) -> None:
    with pytest.raises(PackagingError, match=r"'\.' would replace model\.py"):
        found(folder, ".")
    (folder / "model.py").unlink()
    assert found(folder, ".")[:2] == ["data.csv", "lib/__init__.py"]


@pytest.mark.parametrize("name", ["model.pkl", "requirements.txt", "python_version.txt", "Model.PY"])
def test_names_of_the_archive_itself_are_taken(folder: Path, name: str) -> None:
    (folder / name).touch()
    with pytest.raises(PackagingError, match=f"would replace {name} of the function's archive"):
        found(folder, name)


def test_links_inside_the_folder_are_followed_and_keep_their_names(folder: Path) -> None:
    (folder / "alias.csv").symlink_to("data.csv")
    (folder / "library").symlink_to("lib/deep")
    assert found(folder, "alias.csv", "library") == ["alias.csv", "library/x.txt"]


def test_the_folder_itself_may_be_reached_by_a_link(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert found(link, "data.csv", str(link / "lib/a.py")) == ["data.csv", "lib/a.py"]


def test_which_modules_they_hold(folder: Path) -> None:
    root = folder.resolve()
    (folder / "loose").mkdir()
    for path in ("loose/module.py", "native.so", "not-a-module.txt"):
        (folder / path).touch()
    files = collected(folder, "lib", "loose", "native.so", "not-a-module.txt", "data.csv")
    assert files.modules() == {
        "lib": root / "lib/__init__.py",
        "lib.a": root / "lib/a.py",
        "lib.b": root / "lib/b.py",
        "loose": None,
        "loose.module": root / "loose/module.py",
        "native": root / "native.so",
    }
