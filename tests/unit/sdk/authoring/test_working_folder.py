"""Where eager calls run: one after the other, and each as if it were alone."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.authoring.working_folder import working_folder
from aqueduct_provider.sdk.packaging.user_function import UserFunction


def function(folder: Path, *files: str) -> UserFunction:
    return UserFunction(function, (), files, folder)


def test_the_files_are_where_the_function_runs(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/prices.csv").write_text("1")
    before = Path.cwd(), list(sys.path)
    with working_folder(function(tmp_path, "data"), "f") as folder:
        assert (folder.path, folder.before) == (Path.cwd(), before[0])
        assert Path("data/prices.csv").read_text() == "1"
        assert sys.path[0] == str(folder.path)
    assert (Path.cwd(), sys.path) == before


def test_everything_is_as_before_after_an_error(tmp_path: Path) -> None:
    before = Path.cwd(), list(sys.path), sys.meta_path, threading.Thread.start

    def fails() -> None:
        with working_folder(function(tmp_path), "f"):
            os.chdir(tmp_path)
            sys.path.pop(0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (Path.cwd(), list(sys.path), sys.meta_path, threading.Thread.start) == before


def test_a_wrong_declaration_changes_nothing(tmp_path: Path) -> None:
    before = Path.cwd()
    with pytest.raises(PackagingError, match="is not there"), working_folder(function(tmp_path, "x"), "f"):
        pass
    assert Path.cwd() == before


def test_a_module_that_the_function_writes_is_gone_with_it(tmp_path: Path) -> None:
    for number in (1, 2):
        with working_folder(function(tmp_path), "f"):
            Path("written_here.py").write_text(f"X = {number}")
            importlib.invalidate_caches()
            assert number == importlib.import_module("written_here").X
        assert "written_here" not in sys.modules


def test_a_call_within_a_call(tmp_path: Path) -> None:
    with working_folder(function(tmp_path), "outer") as outer:
        with working_folder(function(tmp_path), "inner") as inner:
            assert inner.before == outer.path
        assert Path.cwd() == outer.path != inner.path


def test_threads_wait_for_each_other(tmp_path: Path) -> None:
    inside = list[int]()

    def call(number: int) -> list[int]:
        with working_folder(function(tmp_path), "f"):
            inside.append(number)
            Path(f"{number}").touch()
            found = [*inside, *(int(path.name) for path in Path().iterdir())]
            inside.remove(number)
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(40))) == [[number, number] for number in range(40)]


def python(folder: Path, script: str) -> list[str]:
    (folder / "flow.py").write_text(dedent(script))
    command = [sys.executable, "-W", "error", "flow.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_an_operator_that_calls_another_one_in_threads(tmp_path: Path) -> None:
    script = """
    from concurrent.futures import ThreadPoolExecutor
    import aqueduct_provider.sdk as aq

    @aq.op(requirements=[])
    def double(x):
        return 2 * x

    @aq.op(requirements=[])
    def doubled(values):
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(double, values))

    print(doubled([1, 2]).get())
    """
    assert python(tmp_path, script) == ["[2,", "4]"]


def test_pools_of_processes_that_outlive_a_call_find_the_files_of_the_next(tmp_path: Path) -> None:
    (tmp_path / "rate.txt").write_text("3")
    script = """
    from joblib import Parallel, delayed
    import aqueduct_provider.sdk as aq

    def read(_):
        with open("rate.txt") as file:
            return file.read()

    @aq.op(requirements=["joblib"], file_dependencies=["rate.txt"])
    def rates():
        return Parallel(n_jobs=2)(delayed(read)(number) for number in range(2))

    for _ in range(2):
        print(*rates().get())
    """
    assert python(tmp_path, script) == ["3"] * 4


def test_a_forked_process_may_call_while_a_thread_of_its_parent_does(tmp_path: Path) -> None:
    script = """
    import os, sys, threading
    import aqueduct_provider.sdk as aq

    started, ended = threading.Event(), threading.Event()

    @aq.op(requirements=[])
    def waits():
        started.set()
        ended.wait()
        return 1

    @aq.op(requirements=[])
    def quick():
        return 2

    thread = threading.Thread(target=waits)
    thread.start()
    started.wait()
    if os.fork() == 0:
        os._exit(quick().get())
    print(os.waitstatus_to_exitcode(os.wait()[1]))
    ended.set()
    thread.join()
    """
    assert python(tmp_path, script) == ["2"]


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    script = """
    import os
    import aqueduct_provider.sdk as aq

    @aq.op(requirements=[])
    def one():
        return 1

    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")
    print(one().get(), one().get())
    """
    assert python(tmp_path, script) == ["1", "1"]
