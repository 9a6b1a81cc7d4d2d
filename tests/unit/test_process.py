"""Real child processes at their edges."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import CommandNotStarted
from aqueduct_provider.process import Child, Finished
from tests.support.process_checks import wait_until_gone

Lines = list[tuple[str, str]]


class Python:
    """Starts children that run a piece of Python, and remembers their lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: Lines = []

    def child(self, code: str, **options: Any) -> Child:
        options.setdefault("on_line", lambda stream, text: self.lines.append((stream, text)))
        options.setdefault("env", {})
        return Child([sys.executable, "-u", "-c", code], cwd=self.folder, **options)

    def run(self, code: str, **options: Any) -> Finished:
        return self.child(code, **options).run()

    def texts(self, stream: str = "stdout") -> list[str]:
        return [text for name, text in self.lines if name == stream]

    def pid_from(self, name: str) -> int:
        return int((self.folder / name).read_text())


@pytest.fixture
def python(tmp_path: Path) -> Python:
    return Python(tmp_path)


@contextlib.contextmanager
def handler(action: Callable[[], None]) -> Iterator[None]:
    """While it holds, SIGUSR1 runs the action in the main thread."""
    before = signal.signal(signal.SIGUSR1, lambda *_: action())
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def on_text(text: str, action: Callable[[], None]) -> Callable[[str, str], None]:
    return lambda _, line: action() if line == text else None


GRANDCHILD = """
import os, signal, subprocess, sys, time
code = '''
import os, signal, time
{prepare}
open("pid", "w").write(str(os.getpid()))
time.sleep(600)
'''
subprocess.Popen([sys.executable, "-c", code])
while not os.path.exists("pid") or not open("pid").read(): time.sleep(0.01)
print("ready")
{then}
"""
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def test_output_returncode_and_time(python: Python) -> None:
    finished = python.run(
        "import sys; print('one'); print('two', file=sys.stderr); print('th', end='ree'); sys.exit(7)"
    )
    assert (finished.returncode, finished.timed_out, finished.killed) == (7, False, False)
    assert (finished.stdout, finished.stderr) == ("one\nthree", "two\n")
    assert python.texts() == ["one", "three"]
    assert python.texts("stderr") == ["two"]
    assert finished.wall_time > 0


def test_lines_arrive_while_the_child_runs(python: Python) -> None:
    answered = python.folder / "answer"
    finished = python.run(
        "import os, time\nprint('question')\nwhile not os.path.exists('answer'): time.sleep(0.01)",
        on_line=on_text("question", answered.touch),
        timeout=60,
    )
    assert finished.returncode == 0


def test_the_environment_is_exactly_the_one_given(python: Python, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUEDUCT_SECRET", "of the worker")
    code = "import json; print(json.dumps([*open('/proc/self/environ').read().split(chr(0))]))"
    python.run(code, env={"A": "1", "B": "zwei ü"})
    assert json.loads(python.texts()[0]) == ["A=1", "B=zwei ü", ""]


def test_the_working_directory(python: Python) -> None:
    python.run("import os; print(os.getcwd())")
    assert python.texts() == [str(python.folder)]


def test_stdin_stays_open_until_the_worker_is_gone(python: Python) -> None:
    child = "import sys; open('pid', 'w'); sys.stdin.read(); open('eof', 'w')"
    worker = (
        "import sys; from aqueduct_provider.process import Child\n"
        f"Child([sys.executable, '-c', {child!r}], cwd='.', env={{}}, on_line=print).run()"
    )
    outer = python.child(worker, env={"PYTHONPATH": os.pathsep.join(sys.path)}, grace=0)
    thread = threading.Thread(target=outer.run)
    thread.start()
    wait_for(python.folder / "pid")
    assert not (python.folder / "eof").exists()
    outer.kill()
    thread.join(20)
    wait_for(python.folder / "eof")


def test_stdin_brings_what_is_given_and_then_stays_open(python: Python) -> None:
    code = (
        "import os, select\n"
        "data = b''\n"
        "while len(data) < 300_000: data += os.read(0, 65_536)\n"
        "print(len(data), data[-3:], select.select([0], [], [], 0.2)[0])"
    )
    python.run(code, stdin=b"x" * 299_997 + b"end")
    assert python.texts() == ["300000 b'end' []"]


def test_stdin_that_nobody_reads_holds_nothing_up(python: Python) -> None:
    before = set(threading.enumerate())
    assert python.run("print(1)", stdin=b"x" * 10_000_000).returncode == 0
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive()


def wait_for(path: Path) -> None:
    until = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} did not appear"
        time.sleep(0.01)


def test_the_child_leads_its_own_session(python: Python) -> None:
    python.run("import os; print(os.getpid() == os.getsid(0) == os.getpgrp())")
    assert python.texts() == ["True"]


def test_a_signal_is_a_negative_returncode(python: Python) -> None:
    finished = python.run("import os; print('bye'); os.kill(os.getpid(), 9)")
    assert (finished.returncode, finished.killed, finished.stdout) == (-9, False, "bye\n")


def test_timeout_ends_the_child(python: Python) -> None:
    finished = python.run("import time; print('slow'); time.sleep(600)", timeout=0.5)
    assert (finished.returncode, finished.timed_out, finished.killed) == (-signal.SIGTERM, True, False)


def test_timeout_ends_a_child_that_closed_its_output(python: Python) -> None:
    finished = python.run("import os, time; os.close(1); os.close(2); time.sleep(600)", timeout=0.5)
    assert (finished.returncode, finished.timed_out) == (-signal.SIGTERM, True)


def test_a_child_that_closed_its_output_may_go_on(python: Python) -> None:
    finished = python.run("import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(3)")
    assert finished.returncode == 3


def test_sigterm_gives_time_to_say_something(python: Python) -> None:
    code = (
        "import signal, sys, time\n"
        "def end(*_): print('x' * 300_000); print('cleaned up'); sys.exit(5)\n"
        "signal.signal(signal.SIGTERM, end); print('ready'); time.sleep(600)"
    )
    child = python.child(code, on_line=lambda stream, text: note(stream, text), grace=30)

    def note(stream: str, text: str) -> None:
        python.lines.append((stream, text))
        if text == "ready":
            child.kill()

    finished = child.run()
    assert (finished.returncode, finished.killed) == (5, True)
    assert python.texts()[-1] == "cleaned up"


def test_a_child_that_ignores_sigterm_is_killed(python: Python) -> None:
    code = f"import signal, time; {STUBBORN}; print('ready'); time.sleep(600)"
    child = python.child(code, on_line=on_text("ready", lambda: child.kill()), grace=0.2)
    assert child.run().returncode == -signal.SIGKILL


def test_grandchildren_that_ignore_sigterm_are_killed(python: Python) -> None:
    code = GRANDCHILD.format(prepare=STUBBORN, then="time.sleep(600)")
    child = python.child(code, on_line=on_text("ready", lambda: child.kill()), grace=0.2)
    finished = child.run()
    assert (finished.returncode, finished.killed) == (-signal.SIGTERM, True)
    wait_until_gone(python.pid_from("pid"))


def test_what_the_child_leaves_behind_is_ended(python: Python) -> None:
    finished = python.run(GRANDCHILD.format(prepare="", then="sys.exit(4)"))
    assert (finished.returncode, finished.killed, finished.stdout) == (4, False, "ready\n")
    wait_until_gone(python.pid_from("pid"))


def test_a_daemon_that_holds_stdout_does_not_hang_the_run(python: Python) -> None:
    finished = python.run(GRANDCHILD.format(prepare="os.setsid()", then="print('last'); sys.exit(0)"))
    # It left the group: this test ends it.
    os.kill(python.pid_from("pid"), signal.SIGKILL)
    assert (finished.returncode, finished.stdout) == (0, "ready\nlast\n")


def test_a_daemon_that_never_stops_writing_does_not_hang_the_run(python: Python) -> None:
    endless = "os.setsid(); open('pid', 'w').write(str(os.getpid()))\nwhile True: print('spam ' * 1000)"
    python.run(GRANDCHILD.format(prepare=endless, then="sys.exit(0)"))
    # Nobody reads its pipe any more.
    wait_until_gone(python.pid_from("pid"))


def test_kill_from_a_signal_handler_of_the_thread_that_runs(python: Python) -> None:
    code = f"import os, signal, time; os.kill({os.getpid()}, signal.SIGUSR1); time.sleep(600)"
    child = python.child(code)
    with handler(child.kill):
        finished = child.run()
    assert (finished.returncode, finished.killed) == (-signal.SIGTERM, True)


def test_an_exception_from_a_signal_handler_ends_the_group(python: Python) -> None:
    then = f"os.kill({os.getpid()}, signal.SIGUSR1); time.sleep(600)"
    child = python.child(GRANDCHILD.format(prepare=STUBBORN, then=then), grace=0.2)

    def terminate() -> None:
        raise KeyboardInterrupt("from the handler")

    with handler(terminate), pytest.raises(KeyboardInterrupt, match="from the handler"):
        child.run()
    wait_until_gone(python.pid_from("pid"))


def test_kill_from_another_thread_and_twice(python: Python) -> None:
    child = python.child("import time; print('ready'); time.sleep(600)")
    threading.Timer(0.3, lambda: [child.kill(), child.kill()]).start()
    finished = child.run()
    assert finished.killed
    child.kill()


def test_kill_before_run_starts_nothing(python: Python) -> None:
    child = python.child("open('started', 'w')")
    child.kill()
    assert child.run() == Finished(-signal.SIGTERM, "", "", 0.0, timed_out=False, killed=True)
    assert not (python.folder / "started").exists()


def test_cancelled_is_asked_again_and_again(python: Python) -> None:
    asked = python.folder / "cancel"
    finished = python.run("import time; open('cancel', 'w'); time.sleep(600)", cancelled=asked.exists)
    assert finished.killed


def test_on_line_errors_end_the_child(python: Python) -> None:
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); print('x'); time.sleep(600)"

    def broken(stream: str, text: str) -> None:
        raise RuntimeError("log is full")

    with pytest.raises(RuntimeError, match="log is full"):
        python.run(code, on_line=broken)
    wait_until_gone(python.pid_from("pid"))


def test_no_descriptors_are_left(python: Python) -> None:
    python.run("print('warm')")
    # What earlier tests left to the collector must not be closed in between.
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    python.run("print('x')")
    with contextlib.suppress(CommandNotStarted):
        Child(["/no/such"], cwd=python.folder, env={}, on_line=print).run()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_keep_open_reaches_the_child(python: Python) -> None:
    read, write = os.pipe()
    python.run(f"import os; os.write({write}, b'hello')", keep_open=[write])
    assert os.read(read, 10) == b"hello"
    os.close(read)
    os.close(write)


@pytest.mark.parametrize(
    ("argv", "cwd", "reason"),
    [
        (["/no/such/program"], ".", "Cannot start /no/such/program .*No such file"),
        (["{tmp}/plain.txt"], ".", "Cannot start .*plain.txt .*Permission denied"),
        (["{tmp}/garbage"], ".", "Cannot start .*garbage .*Exec format error"),
        ([sys.executable], "/no/such/folder", "/no/such/folder.*No such file"),
    ],
)
def test_a_command_that_cannot_start(tmp_path: Path, argv: list[str], cwd: str, reason: str) -> None:
    (tmp_path / "plain.txt").write_text("text")
    (tmp_path / "garbage").write_text("text")
    (tmp_path / "garbage").chmod(0o755)
    argv = [word.format(tmp=tmp_path) for word in argv]
    with pytest.raises(CommandNotStarted, match=reason):
        Child(argv, cwd=tmp_path / cwd, env={}, on_line=print).run()


def test_much_output_is_delivered_whole_and_captured_in_part(python: Python) -> None:
    counts = {"lines": 0, "characters": 0}

    def count(stream: str, text: str) -> None:
        counts["lines"] += 1
        counts["characters"] += len(text)

    code = (
        "import sys\nsys.stdout.write('first\\n')\n"
        "for _ in range(50): sys.stdout.write(('x' * 99 + '\\n') * 10_000)\nsys.stdout.write('last\\n')"
    )
    finished = python.run(code, on_line=count, capture_limit=1000)
    assert counts == {"lines": 500_002, "characters": 99 * 500_000 + 9}
    assert finished.stdout.startswith("first\nxxx")
    assert finished.stdout.endswith("xxx\nlast\n")
    assert f"[... {50_000_011 - 1000} characters dropped ...]" in finished.stdout
    assert len(finished.stdout) < 1100
