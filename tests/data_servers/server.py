"""What the database servers of the tests share: an unprivileged user, a log, a start, an end.

Servers refuse to run as root; tests that do run as root, as in CI, give the server's folder to its own user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.integration.waiting import wait_for

_START_SECONDS = 60


class ServerMissing(Exception):
    """The server's Debian package is not installed; the message names it."""


def program(name: str, folders: Sequence[Path], package: str) -> Path:
    """The path of a server's program, the newest of its kind."""
    for folder in sorted(folders, reverse=True):
        if (folder / name).exists():
            return folder / name
    found = shutil.which(name)
    if not found:
        raise ServerMissing(f"{name} is missing: apt-get install {package}")
    return Path(found)


def owner(user: str) -> str | None:
    """The user that a server must run as, when these tests run as root."""
    if os.geteuid() != 0:
        return None
    pwd.getpwnam(user)
    return user


@contextmanager
def own_folder(user: str | None) -> Iterator[Path]:
    """A new folder that is the server's own, and that its user can reach; pytest's own folders are closed."""
    with tempfile.TemporaryDirectory(prefix="aqueduct-server-", ignore_cleanup_errors=True) as name:
        if user:
            entry = pwd.getpwnam(user)
            os.chown(name, entry.pw_uid, entry.pw_gid)
        yield Path(name)


def run(command: Sequence[str | Path], user: str | None) -> None:
    """Run a command of the server's to its end."""
    done = subprocess.run(
        list(map(str, command)), user=user, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}\n{done.stderr}")


@contextmanager
def running(
    command: Sequence[str | Path], user: str | None, log: Path, is_ready: Callable[[], bool], what: str
) -> Iterator[None]:
    """A server for as long as the context is open; its temporary files end with it, even if killed."""
    with own_folder(user) as temporary:
        with log.open("wb") as output:
            server = subprocess.Popen(
                list(map(str, command)),
                user=user,
                cwd="/",
                env={**os.environ, "TMPDIR": str(temporary)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

        def ready() -> bool:
            if server.poll() is not None:
                raise RuntimeError(f"{what} ended at once:\n{log.read_text(errors='replace')[-2000:]}")
            return is_ready()

        try:
            wait_for(ready, what=what, seconds=_START_SECONDS)
            yield
        finally:
            # Fast shutdown: connections are ended, not waited for.
            server.send_signal(signal.SIGINT if "postgres" in str(command[0]) else signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
