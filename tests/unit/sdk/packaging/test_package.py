from __future__ import annotations

import functools
import io
import os
import sys
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging.package import PYTHON_VERSION, Package, package
from aqueduct_provider.sdk.packaging.user_function import UserFunction
from tests.support.user_projects import Project, Refused

FACTOR = 3


def triple(number: int) -> int:
    return number * FACTOR


class Adder:
    def __init__(self, more: int) -> None:
        self.more = more

    def __call__(self, number: int) -> int:
        return number + self.more

    def add(self, number: int) -> int:
        return number + self.more


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def packed(
    call: Callable[..., Any], *requirements: str, name: str = "triple", files: tuple[str, ...] = ()
) -> Package:
    return package(UserFunction(call, requirements, files, Path(__file__).parent), name)


def contents(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        names = [name for name in zipped.namelist() if not name.endswith("/")]
        return {name.partition("/")[2]: zipped.read(name) for name in names}


# --- the format


def test_the_archive_holds_what_the_format_asks_for() -> None:
    made = packed(triple, "six==1.17.0", "idna>=2")
    found = contents(made.data)
    assert set(found) == {"model.py", "model.pkl", "requirements.txt", "python_version.txt", "triple.py"}
    pin = f"cloudpickle=={cloudpickle.__version__}"
    assert found["requirements.txt"].decode().split() == ["six==1.17.0", "idna>=2", pin]
    assert found["python_version.txt"].decode() == PYTHON_VERSION == made.python_version
    assert found["triple.py"].decode() == "def triple(number: int) -> int:\n    return number * FACTOR\n"
    assert f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON_VERSION


def test_the_users_own_pin_of_cloudpickle_must_fit() -> None:
    version = cloudpickle.__version__
    made = contents(packed(triple, f"Cloudpickle>={version}").data)
    assert made["requirements.txt"].decode().split() == [f"cloudpickle=={version}"]
    with pytest.raises(PackagingError, match=rf"'triple' ask for 'cloudpickle==1\.0'.*cloudpickle {version}"):
        packed(triple, "cloudpickle==1.0")
    assert packed(triple, "cloudpickle==1.0; sys_platform == 'win32'", "six")


def test_the_files_of_the_archive_have_no_date_and_one_permission() -> None:
    with zipfile.ZipFile(io.BytesIO(packed(triple).data)) as zipped:
        entries = zipped.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    # The original needs the folder as an entry of its own.
    assert entries[0].filename == "function/"
    assert {entry.external_attr >> 16 for entry in entries[1:]} == {0o100644}


def test_large_files_are_compressed(tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_text("1,2,3\n" * 10_000)
    (tmp_path / "small.csv").write_text("1,2,3\n")
    made = package(UserFunction(triple, (), ("large.csv", "small.csv"), tmp_path), "triple")
    with zipfile.ZipFile(io.BytesIO(made.data)) as zipped:
        sizes = {entry.filename: entry.compress_size / entry.file_size for entry in zipped.infolist()[1:]}
    assert sizes.pop("function/large.csv") < 0.1
    assert set(sizes.values()) == {1}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("train model", "train model.py"),
        ("a/b\\c: d?", "a_b_c_ d_.py"),
        ("../../etc", "_.._etc.py"),
        ("...", "function.py"),
        ("größe", "größe.py"),
        # Python looks for modules in the archive's folder first.
        ("model", "model_.py"),
        ("json", "json_.py"),
        ("packaging", "packaging_.py"),
    ],
)
def test_the_source_file_has_a_safe_name_that_hides_no_module(name: str, file: str) -> None:
    own = {"model.py", "model.pkl", "requirements.txt", "python_version.txt"}
    assert set(contents(packed(triple, name=name).data)) - own == {file}


def test_the_source_file_gives_way_to_a_file_dependency(project: Project) -> None:
    project.write("train.py", "FACTOR = 5\n")
    made = project.package(
        "import train\ndef f(x): return x * train.FACTOR", "f", files=("train.py",), name="train"
    )
    assert contents(made)["train.py"] == b"FACTOR = 5\n"
    assert contents(made)["train_.py"].startswith(b"def f(x)")
    assert project.run(made, 3) == 15


# --- what runs


def test_functions_of_modules_beside_the_script_travel(project: Project) -> None:
    project.write("helpers.py", "import features.scale\n\ndef twice(x): return features.scale.scaled(x, 2)\n")
    project.write("features/__init__.py", "")
    project.write(
        "features/scale.py", "from . import limits\n\ndef scaled(x, by): return min(x * by, limits.MAX)\n"
    )
    project.write("features/limits.py", "import features.scale\nMAX = 100\n")
    script = """
        import features.limits
        import helpers
        from helpers import twice
        from features import scale

        def train(x):
            return [twice(x), helpers.twice(x), scale.scaled(x, 3), features.limits.MAX]
    """
    made = project.package(script, "train")
    assert project.run(made, 20) == [40, 40, 60, 100]
    assert project.run(made, 99) == [100, 100, 100, 100]


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("lambda x: x + OFFSET", 12),
        ("functools.partial(add, more=5)", 7),
        ("functools.partial(functools.partial(add, 1), 1)", None),
        ("Adder(5)", 7),
        ("Adder(5).add", 7),
        ("by_exec", 4),
        ("cached", 12),
        ("wrapped", 12),
        ("statistics.fmean", None),
    ],
)
def test_everything_that_can_be_called(project: Project, call: str, result: int | None) -> None:
    script = """
        import functools
        import statistics

        OFFSET = 10
        exec("def by_exec(x): return x * 2")

        def add(x, more): return x + more

        @functools.lru_cache(maxsize=10)
        def cached(x): return x + OFFSET

        def decorated(function):
            @functools.wraps(function)
            def inner(*args): return function(*args)
            return inner

        @decorated
        def wrapped(x): return x + OFFSET

        class Adder:
            def __init__(self, more): self.more = more
            def __call__(self, x): return x + self.more
            def add(self, x): return self(x)
    """
    made = project.package(script, call, name="op")
    if call.startswith("functools.partial(functools"):
        assert project.run(made) == 2
    elif result is None:
        assert project.run(made, [1, 2]) == 1.5
    else:
        assert project.run(made, 2) == result
    source = contents(made)["op.py"].decode()
    if call == "by_exec":
        assert source == "# The source text of 'op' is not known: it was not defined in a file.\n"
    elif call == "wrapped":
        assert "def wrapped(x)" in source


def test_a_notebooks_function_has_no_file() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("def in_a_cell(x): return x", namespace)
    assert packed(namespace["in_a_cell"]).data == packed(namespace["in_a_cell"]).data


def test_modules_of_file_dependencies_are_imported_from_there(project: Project) -> None:
    project.write(
        "helpers.py", "from pathlib import Path\nTEXT = Path(__file__).with_name('data.txt').read_text()\n"
    )
    project.write("data.txt", "content")
    script = "import helpers\ndef read(): return helpers.TEXT, open('data.txt').read()"
    assert project.run(project.package(script, "read", files=("data.txt", "helpers.py"))) == [
        "content",
        "content",
    ]
    # Without its file the module travels as it was when the function was packaged.
    assert project.run(project.package(script, "read", files=("data.txt",))) == ["content", "content"]


# --- the same bytes


def test_the_same_function_gives_the_same_bytes_and_another_one_others() -> None:
    assert packed(triple) == packed(triple)
    assert packed(triple).sha256 != packed(triple, "six").sha256
    assert packed(triple).sha256 != packed(lambda number: number).sha256


def test_in_threads_too() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: packed(triple).sha256, range(40)))
    assert set(made) == {packed(triple).sha256}


def test_what_is_registered_with_cloudpickle_stays_as_it_was() -> None:
    registry = cloudpickle.cloudpickle.list_registry_pickle_by_value
    before = registry()
    packed(triple)
    with pytest.raises(PackagingError):
        packed(lambda: threading.Lock, files=("missing.txt",))
    lock = threading.Lock()
    with pytest.raises(PackagingError):
        packed(lambda: lock)
    assert registry() == before
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        packed(triple)
        assert registry() == before | {__name__}
    finally:
        cloudpickle.unregister_pickle_by_value(module)


# --- what is refused


def test_the_error_of_an_unpicklable_function_has_its_cause() -> None:
    lock = threading.Lock()

    def locked() -> None:
        lock.acquire()

    with pytest.raises(
        PackagingError, match=r"'train' cannot be pickled: the variable 'lock' of .*locked'"
    ) as raised:
        packed(locked, name="train")
    assert isinstance(raised.value.__cause__, TypeError)


def test_a_needed_module_without_a_requirement_is_refused(project: Project) -> None:
    script = "import pytest\ndef train(): return pytest.__version__"
    with pytest.raises(
        Refused, match=r"^'train' needs the module 'pytest' \(package pytest [\d.]+\), which its "
    ):
        project.package(script, "train")
    assert project.run(project.package(script, "train", requirements=("pytest",))) == pytest.__version__


def test_a_large_variable_is_refused_by_name() -> None:
    table = bytes(200_000_001)
    with pytest.raises(PackagingError, match=r"The largest part is 'table' \(200\.0 MB\)"):
        packed(functools.partial(lambda: table), name="train")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.touch(mode=0o000)
    if os.access(file, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(PackagingError, match=r"'train': secret\.txt cannot be read: Permission denied"):
        package(UserFunction(triple, (), ("secret.txt",), tmp_path), "train")
