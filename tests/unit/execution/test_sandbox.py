"""What code in a sandbox can see, write and leave behind: nothing but its job."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.environment.cache import PythonEnvironment
from aqueduct_provider.errors import (
    CommandNotStarted,
    ConfigError,
    OperatorCrashed,
    OperatorFailed,
    OperatorTimedOut,
)
from aqueduct_provider.execution.fork_server import ForkServers
from aqueduct_provider.execution.sandbox import Sandbox, find_sandbox, python_folders
from aqueduct_provider.process import ChildCommand
from tests.support.flow_runs import LocalRun
from tests.support.process_checks import wait_until_no_command_has
from tests.unit.execution.conftest import Desk

Function = Callable[..., dict[str, Any]]


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return find_sandbox(network=True, hidden=[Path.home(), tmp_path / "cache"])


Run = Callable[..., Any]


@pytest.fixture
def run(desk: Desk, function: Function, sandbox: Sandbox) -> Run:
    """Runs the body of a function in the sandbox and gives what it returned."""

    def make(body: str, **worker: Any) -> Any:
        source = (
            "import json, os, pathlib, subprocess, sys, time\n"
            f"def body():\n{textwrap.indent(body, '    ')}\n"
            "def predict():\n    return json.dumps(body())"
        )
        flow = desk.flow(function(source), types={"out": "string"})
        LocalRun(flow, desk.store, desk.folder, **{"sandbox": sandbox, **worker}).run("f")
        return json.loads(desk.content("out"))

    return make


def test_no_other_process_is_seen_and_none_of_their_variables(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "planted")
    body = (
        "found = {}\n"
        "for path in pathlib.Path('/proc').glob('[0-9]*'):\n"
        "    try:\n"
        "        found[path.name] = (path / 'environ').read_text() + (path / 'cmdline').read_text()\n"
        "    except PermissionError:\n"
        "        found[path.name] = 'AQUEDUCT_JOB'  # bwrap, of a worker that is root\n"
        "return found"
    )
    seen = run(body)
    assert "planted" not in str(seen)
    assert "pytest" not in "".join(text.partition("AQUEDUCT_JOB")[0] for text in seen.values())
    # That of bwrap, the supervisor, and the job.
    assert seen.keys() == {"1", "2", "3"}


def test_files_of_airflow_and_of_others_are_not_there(run: Run, tmp_path: Path) -> None:
    home, other = tmp_path / "airflow", tmp_path / "other-job"
    for folder in (home, other):
        folder.mkdir()
        (folder / "secret").write_text("planted")
    cached = [tmp_path / "cache" / name for name in ("code", "environments")]
    places = [home, other, *cached, tmp_path / "store", Path.home() / ".aws", Path(__file__), "/etc/shadow"]
    body = f"return [path for path in {[str(place) for place in places]} if os.path.exists(path)]"
    assert run(body) == []


@pytest.mark.parametrize(
    "place",
    ["/", "/usr/lib", "/etc", "/var", "/home", "{prefix}/lib", "/proc/sys/kernel", "/opt", "/sys/devices"],
)
def test_nothing_else_can_be_written(run: Run, place: str) -> None:
    path = place.format(prefix=sys.prefix)
    body = (
        f"try:\n    os.makedirs({path!r}, exist_ok=True)\n    open({path!r} + '/x', 'w')\n"
        "except OSError as error:\n    return 'refused'\n"
        "return 'written'"
    )
    assert run(body) == "refused"


def test_what_the_kernel_lets_root_do_is_refused(run: Run) -> None:
    """Whoever the worker is: root owns /proc/sys, and with capabilities mounts can be made writable."""
    body = (
        "import ctypes\n"
        "libc, remount_bind = ctypes.CDLL(None), 32 | 4096\n"
        "runner = os.path.dirname(os.path.dirname(sys.modules['aqueduct_runner'].__file__))\n"
        "paths = [b'/usr', b'/', runner.encode()]\n"
        "mounted = [libc.mount(b'none', path, None, remount_bind, None) for path in paths]\n"
        "opened = []\n"
        "sysctls = ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe']\n"
        "for path in [*sysctls, runner + '/__main__.py']:\n"
        "    try:\n"
        "        os.close(os.open(path, os.O_WRONLY))\n"
        "        opened.append(path)\n"
        "    except OSError:\n"
        "        pass\n"
        "status = dict(line.split(None, 1) for line in open('/proc/self/status') if line.startswith('Cap'))\n"
        "held = {name: int(status[name + ':'], 16) for name in ('CapPrm', 'CapEff', 'CapAmb')}\n"
        "return [os.getuid() == 0, opened, mounted, sum(held.values())]"
    )
    assert run(body) == [False, [], [-1, -1, -1], 0]


def test_output_can_be_opened_again_by_its_name(run: Run) -> None:
    body = "return [open(path, 'w').write('line\\n') for path in ('/dev/stdout', '/dev/stderr')]"
    assert run(body) == [5, 5]


def test_the_job_and_temporary_folders_can(run: Run) -> None:
    body = (
        "import tempfile, multiprocessing\n"
        "home = os.path.expanduser('~')\n"
        "places = [os.getcwd(), '/tmp', '/var/tmp', '/dev/shm', tempfile.gettempdir(), home]\n"
        "for place in places:\n"
        "    pathlib.Path(place, 'mine').write_text('x')\n"
        "multiprocessing.Lock()\n"
        "return len(places)"
    )
    assert run(body) == 6
    assert not Path("/tmp/mine").exists()
    assert not Path("/dev/shm/mine").exists()


def test_what_a_program_needs_is_there(run: Run) -> None:
    body = (
        "import getpass, json, os, pwd, socket, sqlite3, ssl, zoneinfo\n"
        "ssl.create_default_context()\n"
        "assert pwd.getpwuid(os.getuid()).pw_name == getpass.getuser()\n"
        "assert socket.gethostbyname('localhost') == '127.0.0.1'\n"
        "assert subprocess.run(['sh', '-c', 'exit 3']).returncode == 3\n"
        "assert os.cpu_count() and os.sysconf('SC_PHYS_PAGES')\n"
        "import pandas\n"
        "return 'well'"
    )
    assert run(body) == "well"


def test_daemons_end_with_the_job(run: Run) -> None:
    daemon = "import os, time; os.setsid(); os.fork() and os._exit(0); time.sleep(600.1618)"
    start = f"subprocess.Popen([sys.executable, '-c', {daemon!r}], start_new_session=True)"
    body = f"{start}\ntime.sleep(0.3)\nreturn 1"
    assert run(body) == 1
    wait_until_no_command_has("600.1618")


def test_daemons_of_a_killed_worker_end(tmp_path: Path) -> None:
    """The worker is killed with no time to clean up."""
    source = (
        "import subprocess, time\ndef predict():\n"
        "    subprocess.Popen(['sleep', '600.5772'], start_new_session=True)\n"
        "    print('started', flush=True)\n    time.sleep(600)"
    )
    code = f"""
from pathlib import Path
from aqueduct_provider.execution.sandbox import find_sandbox
from tests.support.flow_runs import LocalRun
from tests.unit.execution.conftest import Desk
desk = Desk(Path({str(tmp_path)!r}))
operator = {{"task_id": "f", "type": "function", "outputs": ["out"], "code": desk.code({source!r})}}
worker = {{"sandbox": find_sandbox(network=True), "on_line": lambda _, line: print(line, flush=True)}}
LocalRun(desk.flow(operator), desk.store, desk.folder, **worker).run("f")
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "started\n"
        worker.send_signal(signal.SIGKILL)
    wait_until_no_command_has("600.5772")


@pytest.mark.parametrize("network", [True, False])
def test_the_network_is_there_or_not(run: Run, network: bool) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    body = (
        "import socket\n"
        f"try:\n    socket.create_connection(('127.0.0.1', {server.server_port}), 5).close()\n"
        "except OSError:\n    return 'none'\n"
        "return 'some'"
    )
    try:
        assert run(body, sandbox=find_sandbox(network=network)) == ("some" if network else "none")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("network", [True, False])
def test_abstract_sockets_belong_to_the_network(run: Run, tmp_path: Path, network: bool) -> None:
    name = f"\\0{tmp_path.name}-{os.getpid()}"
    body = (
        "import socket\n"
        f"try:\n    socket.socket(socket.AF_UNIX).connect('{name}')\n"
        "except OSError:\n    return 'none'\n"
        "return 'some'"
    )
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name.replace("\\0", "\0"))
        server.listen()
        assert run(body, sandbox=find_sandbox(network=network)) == ("some" if network else "none")


def test_without_a_sandbox_the_runner_can_be_changed(run: Run) -> None:
    body = "return os.access(os.path.dirname(sys.modules['aqueduct_runner'].__file__), os.W_OK)"
    assert [run(body, sandbox=None), run(body)] == [True, False]


def test_what_it_takes_is_measured(desk: Desk, function: Function, sandbox: Sandbox) -> None:
    source = "def predict():\n    x = b'x' * 150_000_000\n    return len(x) + sum(range(1_000_000))"
    LocalRun(desk.flow(function(source)), desk.store, desk.folder, sandbox=sandbox).run("f")
    measured = desk.metadata("out")["system_metadata"]
    assert float(measured["max_memory"]) > 140
    assert float(measured["cpu_time"]) > 0


def test_a_polite_end_comes_before_the_forced_one(desk: Desk, function: Function, sandbox: Sandbox) -> None:
    source = (
        "import signal, time\ndef predict():\n"
        "    signal.signal(signal.SIGTERM, lambda *_: print('cleaning up', flush=True))\n"
        "    print('ready', flush=True)\n    time.sleep(600)"
    )
    run = LocalRun(desk.flow(function(source, timeout=3)), desk.store, desk.folder, sandbox=sandbox)
    with pytest.raises(OperatorTimedOut):
        run.run("f")
    assert ("stdout", "cleaning up") in run.lines


def test_a_link_to_what_only_the_worker_can_read_is_refused(
    desk: Desk, function: Function, sandbox: Sandbox
) -> None:
    (desk.folder / "secret").write_text("planted")
    for name in ("outputs/0", "outcome.json"):
        source = (
            "import atexit, os\ndef predict():\n"
            f"    folder, secret = os.environ['AQUEDUCT_JOB'], {str(desk.folder / 'secret')!r}\n"
            "    def replace():\n"
            f"        path = os.path.join(folder, {name!r})\n"
            "        os.remove(path)\n        os.symlink(secret, path)\n"
            "    atexit.register(replace)\n    return 'x'"
        )
        run = LocalRun(desk.flow(function(source)), desk.store, desk.folder, sandbox=sandbox)
        with pytest.raises(
            OperatorFailed,
            match=rf"{name} .*(cannot be used|cannot be read): Too many levels of symbolic links",
        ):
            run.run("f")
        assert "planted" not in str(desk.state("f"))


@pytest.mark.parametrize("has_sandbox", [True, False])
def test_the_log_shows_whether_there_is_a_sandbox(
    run: Run, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, has_sandbox: bool
) -> None:
    caplog.set_level("INFO")
    run("return 1", sandbox=sandbox if has_sandbox else None)
    (line,) = [line for line in caplog.messages if line.startswith("Running in the worker's own Python: ")]
    assert line.endswith(", in a sandbox (bwrap)") == has_sandbox


def test_fused_operators_share_one_sandbox_and_see_no_other(
    desk: Desk, function: Function, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    source = "import os\ndef predict(*_): return [os.getppid(), len(os.listdir('..'))]"
    code = desk.code(source)
    operators = [function(source, task_id=name, outputs=[name], code=code, fuse="g") for name in ("a", "b")]
    run = LocalRun(
        desk.flow(*operators, types={"a": "list", "b": "list"}), desk.store, desk.folder, sandbox=sandbox
    )
    run.group("g").run()
    assert desk.content("a") == desk.content("b")
    assert sum(line.endswith(", in a sandbox (bwrap)") for line in caplog.messages) == 2
    wait_until_no_command_has(str(desk.folder))


@pytest.fixture
def environment(tmp_path: Path) -> PythonEnvironment:
    """A virtual environment whose Python is a link to a link."""
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    link = tmp_path / "bin" / "python-link"
    link.parent.mkdir()
    python = folder / "bin" / "python"
    link.symlink_to(os.path.realpath(python))
    python.unlink()
    python.symlink_to(link)
    return PythonEnvironment(python, "x", reused=True, build_seconds=0.0)


def test_another_environment_is_found(run: Run, environment: PythonEnvironment, tmp_path: Path) -> None:
    @contextmanager
    def provide(*_: Any) -> Iterator[PythonEnvironment]:
        yield environment

    assert run("return sys.prefix", provide=provide) == str(tmp_path / "environment")


def test_the_folders_of_a_python(tmp_path: Path) -> None:
    found = python_folders(Path(sys.executable))
    assert Path(sys.prefix, "lib") in found
    assert Path(sys.base_prefix, "lib").resolve() in {path.resolve() for path in found}
    assert tmp_path not in found
    assert Path("/") not in found


def test_the_runner_is_compiled_once_for_each_python(run: Run, tmp_path: Path) -> None:
    run("return 1")
    (runner,) = (tmp_path / "cache" / "runner").glob("runner-*")
    compiled = {path: path.stat().st_mtime_ns for path in runner.rglob("*.pyc")}
    assert {path.name.split(".")[0] for path in compiled} >= {"server", "invoke", "codecs"}
    run("return 2")
    assert {path: path.stat().st_mtime_ns for path in runner.rglob("*.pyc")} == compiled


def test_a_hidden_folder_in_a_readable_one_is_empty(run: Run, tmp_path: Path) -> None:
    hidden = Path("/usr/share")
    body = "return [len(os.listdir('/usr/share')), len(os.listdir('/usr/lib')) > 0]"
    assert run(body, sandbox=find_sandbox(network=True, hidden=[hidden])) == [0, True]


def test_a_hidden_file_in_a_readable_folder_cannot_be_read(run: Run) -> None:
    hidden = Path("/usr/bin/env")
    body = (
        "try:\n    return len(open('/usr/bin/env', 'rb').read())\n"
        "except OSError as error:\n    return 'refused'"
    )
    assert run(body, sandbox=find_sandbox(network=True, hidden=[hidden])) == "refused"


def test_without_bubblewrap_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ConfigError, match=r"\[aqueduct\] sandbox = bwrap, but this worker has no bwrap.*apt-get"
    ):
        find_sandbox(network=True)


def test_elsewhere_than_on_linux_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ConfigError, match="needs Linux, and this worker is darwin"):
        find_sandbox(network=True)


def test_without_namespaces_nothing_runs(run: Run, tmp_path: Path) -> None:
    """bwrap itself, where no more namespaces are allowed."""
    program = tmp_path / "bwrap"
    bwrap = shutil.which("bwrap")
    limit = f"echo 0 > /proc/sys/user/max_pid_namespaces; exec {bwrap}"
    program.write_text(f'#!/bin/sh\nexec unshare --user --map-root-user sh -c \'{limit} "$@"\' - "$@"\n')
    program.chmod(0o755)
    with pytest.raises(ConfigError, match=r"cannot make a sandbox: bwrap: .*user\.max_user_namespaces"):
        run("print('ran')\nreturn 1", sandbox=Sandbox(str(program), network=True))


def test_a_python_that_is_not_there_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    command = ChildCommand(["/no/such/python", str(tmp_path)], tmp_path, {})
    with (
        ForkServers(box=sandbox.around(tmp_path)) as servers,
        pytest.raises(CommandNotStarted, match="/no/such/python"),
    ):
        servers.start(command)


def test_a_killed_sandbox_is_a_crash(desk: Desk, function: Function, sandbox: Sandbox) -> None:
    source = "import os, time\ndef predict():\n    os.kill(os.getppid(), 9)\n    time.sleep(600)"
    with pytest.raises(OperatorCrashed, match="SIGKILL"):
        LocalRun(desk.flow(function(source)), desk.store, desk.folder, sandbox=sandbox).run("f")
    wait_until_no_command_has(str(desk.folder))
