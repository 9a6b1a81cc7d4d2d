"""Real environments, real locks, real concurrent processes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import MARKER, WORKER, EnvironmentCache, PythonEnvironment
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec, normalise
from aqueduct_provider.errors import (
    ConfigError,
    EnvironmentBuildError,
    OperatorKilled,
    RequirementsError,
)

from .conftest import Index, Log

LogThat = Callable[[str, Callable[[], Any]], Callable[[str, str], None]]


def spec(*requirements: str, python: str = WORKER_PYTHON) -> EnvironmentSpec:
    return EnvironmentSpec(normalise(requirements), python)


def once(cache: EnvironmentCache, asked: EnvironmentSpec, log: Log) -> PythonEnvironment:
    with cache.lease(asked, log) as environment:
        return environment


def folder_of(environment: PythonEnvironment) -> Path:
    return environment.executable.parent.parent


def works(environment: PythonEnvironment, module: str = "alpha") -> bool:
    command = [str(environment.executable), "-I", "-c", f"import {module}"]
    return subprocess.run(command, capture_output=True).returncode == 0


def test_builds_once_then_reuses(cache: EnvironmentCache, log: Log) -> None:
    first = once(cache, spec("alpha"), log)
    assert works(first)
    assert not first.reused
    assert first.build_seconds > 0
    log.lines.clear()
    again = once(cache, spec("alpha"), log)
    assert again == PythonEnvironment(first.executable, first.fingerprint, reused=True, build_seconds=0.0)
    assert log.lines == []


def test_what_differs_is_built_apart(cache: EnvironmentCache, log: Log) -> None:
    one, two = once(cache, spec("alpha<2"), log), once(cache, spec("alpha"), log)
    assert one.executable != two.executable
    assert not two.reused


def test_the_marker_tells_what_is_there(
    cache: EnvironmentCache, index: Index, private_index: int, log: Log
) -> None:
    address = f"127.0.0.1:{private_index}/beta/{index.add('beta', '1.0').name}"
    environment = once(cache, spec(f"beta @ http://user:s3cret@{address}", "alpha"), log)
    marker = json.loads((folder_of(environment) / MARKER).read_text())
    assert marker["requirements"] == ["alpha", f"beta @ http://***@{address}"]
    assert marker["python_version"] == sys.version.split()[0]
    assert marker["builder"].startswith("uv ")
    assert marker["size"] > 1000
    assert "s3cret" not in log.text
    holders = [
        path for path in folder_of(environment).rglob("*") if path.is_file() and _holds(path, b"s3cret")
    ]
    assert holders == []


def _holds(path: Path, secret: bytes) -> bool:
    return secret in path.read_bytes()


def test_the_root_is_for_its_owner(cache: EnvironmentCache, log: Log, tmp_path: Path) -> None:
    once(cache, spec(), log)
    assert stat.S_IMODE((tmp_path / "root").stat().st_mode) == 0o700


def test_a_root_that_others_can_write_to_is_refused(
    cache: EnvironmentCache, log: Log, tmp_path: Path
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root").chmod(0o777)
    with pytest.raises(ConfigError, match="everyone can write"):
        once(cache, spec(), log)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_root_of_another_user_is_refused(cache: EnvironmentCache, log: Log, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir(mode=0o700)
    os.chown(tmp_path / "root", 12345, -1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        once(cache, spec(), log)


def test_a_root_that_cannot_be(builder: UvBuilder, log: Log, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentBuildError, match=r"cannot be used: .*file"):
        once(EnvironmentCache(tmp_path / "file" / "root", builder, 1), spec(), log)


def remove_marker(folder: Path) -> None:
    (folder / MARKER).unlink()


def cut_marker(folder: Path) -> None:
    (folder / MARKER).write_text('{"version": 1, "requ')


def foreign_marker(folder: Path) -> None:
    (folder / MARKER).write_text("{}")


def remove_python(folder: Path) -> None:
    (folder / "bin" / "python").unlink()


def upgrade_python(folder: Path) -> None:
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to("/no/such/python3.11")


def only_marker(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != MARKER:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.mark.parametrize(
    "damage", [remove_marker, cut_marker, foreign_marker, remove_python, upgrade_python, only_marker]
)
def test_damaged_environments_are_built_anew(
    cache: EnvironmentCache, log: Log, damage: Callable[[Path], None]
) -> None:
    folder = folder_of(once(cache, spec("alpha"), log))
    (folder / "of-the-old-one").touch()
    damage(folder)
    repaired = once(cache, spec("alpha"), log)
    assert not repaired.reused
    assert works(repaired)
    assert not (folder / "of-the-old-one").exists()
    assert once(cache, spec("alpha"), log).reused


def test_failed_builds_leave_nothing(cache: EnvironmentCache, log: Log, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(RequirementsError):
            once(cache, spec("alpha==99"), log)
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["locks"]


def test_another_python_than_asked_for_is_told_each_time(
    tmp_path: Path, variables: Mapping[str, str], log: Log
) -> None:
    cache = EnvironmentCache(tmp_path / "root", UvBuilder("worker", variables=variables), 10**9)
    once(cache, spec(python="3.99"), log)
    log.lines.clear()
    assert once(cache, spec(python="3.99"), log).reused
    assert log.lines == [f"Warning: this environment has Python {sys.version.split()[0]} in place of 3.99."]


LEASE = """
import json, sys, time
from pathlib import Path
from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import EnvironmentCache
from aqueduct_provider.environment.fingerprint import EnvironmentSpec
root, variables, requirements, python, max_bytes = json.loads(sys.argv[1])
cache = EnvironmentCache(Path(root), UvBuilder(variables=variables), max_bytes)
with cache.lease(EnvironmentSpec(tuple(requirements), python), lambda _, line: print(line)) as environment:
    import subprocess
    subprocess.run([environment.executable, "-I", "-c", ""], check=True)
    print("reused" if environment.reused else "built", flush=True)
    sys.stdin.read()
"""


class Workers:
    """Other processes that lease from the same root; each holds its lease until its stdin ends."""

    def __init__(self, root: Path, variables: Mapping[str, str]) -> None:
        self.root = root
        self.variables = variables
        self.stack = ExitStack()

    def lease(self, *requirements: str, max_bytes: int = 10**9) -> subprocess.Popen[str]:
        asked = [str(self.root), self.variables, list(normalise(requirements)), WORKER_PYTHON, max_bytes]
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", LEASE, json.dumps(asked)],
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.stack.enter_context(process)
        self.stack.callback(process.kill)
        return process

    @staticmethod
    def result(process: subprocess.Popen[str]) -> list[str]:
        """Its lines, when it has ended its lease."""
        output = process.communicate(timeout=60)[0]
        assert process.returncode == 0
        return output.splitlines()


@pytest.fixture
def workers(tmp_path: Path, variables: Mapping[str, str]) -> Iterator[Workers]:
    workers = Workers(tmp_path / "root", variables)
    with workers.stack:
        yield workers


def wait_for(path: Path) -> None:
    until = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} did not appear"
        time.sleep(0.01)


def _wait_for_go(started: Path, go: Path) -> str:
    """A build that tells when it has started and, up to a minute, waits for a file."""
    return (
        f"open({str(started)!r}, 'w')\n"
        "for _ in range(6000):\n"
        f"    if os.path.exists({str(go)!r}): break\n"
        "    time.sleep(0.01)"
    )


def test_processes_that_come_together_build_once(workers: Workers, index: Index, tmp_path: Path) -> None:
    started, go = tmp_path / "started", tmp_path / "go"
    slow = index.add_source("slow", _wait_for_go(started, go))
    processes = [workers.lease(slow) for _ in range(4)]
    wait_for(started)
    for process in processes:
        # Those that wait say so; the builder says so when it begins to build.
        assert process.stdout is not None
        assert process.stdout.readline().startswith(("Waiting for another task", "Building"))
    go.touch()
    endings = sorted(workers.result(process)[-1] for process in processes)
    assert endings == ["built", "reused", "reused", "reused"]


def test_who_waited_uses_what_is_built_while_its_builder_runs_on(
    workers: Workers, cache: EnvironmentCache, log: Log
) -> None:
    """A task must not wait for the end of the task that built its environment."""
    folder = folder_of(once(cache, spec("alpha"), log))
    aside = folder.with_name("aside")
    folder.rename(aside)
    with (workers.root / "locks" / f"{folder.name}.lock").open() as shared:
        fcntl.flock(shared, fcntl.LOCK_SH)
        process = workers.lease("alpha")
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Waiting for another task")
        aside.rename(folder)
        assert workers.result(process) == ["reused"]


def test_a_builder_that_is_killed_leaves_no_mess(
    workers: Workers,
    cache: EnvironmentCache,
    index: Index,
    tmp_path: Path,
    log: Log,
    log_that: LogThat,
) -> None:
    started, go = tmp_path / "started", tmp_path / "go"
    slow = index.add_source("slow", _wait_for_go(started, go))
    process = workers.lease(slow)
    wait_for(started)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # The dead worker's uv is ended before anyone takes the place that it writes to.
    with cache.lease(spec(slow), log_that(" environment ", go.touch)) as environment:
        assert not environment.reused
        assert works(environment, "slow")


def test_waiting_can_be_cancelled(
    workers: Workers, cache: EnvironmentCache, index: Index, tmp_path: Path, log_that: LogThat
) -> None:
    started, go = tmp_path / "started", tmp_path / "go"
    slow = index.add_source("slow", _wait_for_go(started, go))
    process = workers.lease(slow)
    wait_for(started)
    stop = threading.Event()
    on_line = log_that("Waiting", stop.set)
    with pytest.raises(OperatorKilled), cache.lease(spec(slow), on_line, cancelled=stop.is_set):
        pass
    go.touch()
    assert workers.result(process)[-1] == "built"


def test_a_build_can_be_cancelled(cache: EnvironmentCache, index: Index, tmp_path: Path, log: Log) -> None:
    started = tmp_path / "started"
    slow = index.add_source("slow", f"open({str(started)!r}, 'w')\ntime.sleep(600)")
    with pytest.raises(OperatorKilled), cache.lease(spec(slow), log, cancelled=started.exists):
        pass
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["locks"]


def small(tmp_path: Path, builder: UvBuilder, max_bytes: int = 0) -> EnvironmentCache:
    return EnvironmentCache(tmp_path / "root", builder, max_bytes)


def test_eviction_spares_what_is_used(tmp_path: Path, builder: UvBuilder, log: Log, workers: Workers) -> None:
    cache = small(tmp_path, builder)
    elsewhere = workers.lease("alpha==1.0")
    assert elsewhere.stdout is not None
    while elsewhere.stdout.readline() != "built\n":
        pass
    with cache.lease(spec("alpha<2"), log) as used:
        idle = once(cache, spec("alpha>1"), log)
        built = once(cache, spec("alpha>1.5"), log)
        assert not folder_of(idle).exists()
        assert folder_of(built).exists()
        assert works(used)
    workers.result(elsewhere)
    assert once(cache, spec("alpha==1.0"), log).reused
    last = once(cache, spec("alpha>1.9"), log)
    remaining = {path.name for path in (tmp_path / "root").iterdir()}
    assert remaining == {"locks", last.fingerprint}
    assert log.text.count("Removed environment") == 4


def test_the_least_recently_used_go_first(tmp_path: Path, builder: UvBuilder, log: Log) -> None:
    roomy = small(tmp_path, builder, 10**9)
    environments = [once(roomy, spec(f"alpha>0.{n}"), log) for n in range(4)]
    sizes = [json.loads((folder_of(e) / MARKER).read_text())["size"] for e in environments]
    for age, environment in zip((40, 10, 30, 20), environments, strict=True):
        then = time.time() - age
        os.utime(folder_of(environment) / MARKER, (then, then))
    # Using it makes it the youngest.
    assert once(roomy, spec("alpha>0.0"), log).reused
    last = once(small(tmp_path, builder, sum(sizes[:3]) + 100), spec("alpha>0.9"), log)
    left = [folder_of(environment).exists() for environment in [*environments, last]]
    assert left == [True, True, False, False, True]


def test_nothing_goes_while_there_is_room(cache: EnvironmentCache, log: Log) -> None:
    first = once(cache, spec("alpha"), log)
    once(cache, spec("alpha<2"), log)
    assert folder_of(first).exists()


def test_garbage_goes_and_nothing_else(cache: EnvironmentCache, log: Log, tmp_path: Path) -> None:
    root = tmp_path / "root"
    once(cache, spec(), log)
    half_built, foreign = root / ("a" * 64), root / "photos"
    for folder in (half_built, foreign):
        (folder / "deep").mkdir(parents=True)
    once(cache, spec("alpha"), log)
    assert not half_built.exists()
    assert (foreign / "deep").exists()


def test_many_processes_with_a_cache_that_is_too_small(workers: Workers) -> None:
    # Each one that builds evicts what others may be about to use. LEASE runs the Python that it gets.
    asked = [f"alpha>0.{n % 3}" for n in range(9)]
    processes = [workers.lease(requirement, max_bytes=0) for requirement in asked]
    for process in processes:
        assert workers.result(process)[-1] in ("built", "reused")


def test_people_are_told_which_python_it_is_and_what_it_cost() -> None:
    python = Path("/cache/bin/python")
    assert str(PythonEnvironment(python, "f" * 64, reused=True, build_seconds=0.0)) == (
        "Environment ffffffffffff reused: /cache/bin/python"
    )
    built = PythonEnvironment(python, "f" * 64, reused=False, build_seconds=3.14)
    assert str(built) == "Environment ffffffffffff built in 3.1 s: /cache/bin/python"
    own = PythonEnvironment(python, WORKER, reused=True, build_seconds=0.0)
    assert str(own) == "Running in the worker's own Python: /cache/bin/python"
