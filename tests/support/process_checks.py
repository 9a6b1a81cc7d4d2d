"""What tests ask of processes that they do not own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether the process is there and does not merely wait to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pid: int, seconds: float = 20) -> None:
    """Return when the process has ended; fail when it has not after these seconds."""
    until = time.monotonic() + seconds
    while is_running(pid):
        assert time.monotonic() < until, f"process {pid} was left behind"
        time.sleep(0.02)


def wait_until_no_command_has(text: str, seconds: float = 20) -> None:
    """Return when no process has the text in its command; in a sandbox, processes have other numbers."""
    until = time.monotonic() + seconds
    while found := [pid for pid, command in commands() if text in command]:
        assert time.monotonic() < until, f"processes {found} were left behind"
        time.sleep(0.05)


def commands() -> Iterator[tuple[int, str]]:
    """Every process with its command."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # It ended meanwhile.
            yield int(path.parent.name), path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
