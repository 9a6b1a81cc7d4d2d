"""Install the servers and programs that tests need, from Debian's packages: ``python3 tools/servers.py``.

In: the programs on this machine. Out: those that were missing, installed with ``apt-get`` where that is
allowed; else the command to run. The tests start the servers themselves, so nothing is started here. The
standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """A server of the tests.

    :param package: Debian's.
    :param program: what the package brings. :param folders: where it may lie beyond the path, as patterns.
    """

    package: str
    program: str
    folders: tuple[str, ...]

    @property
    def is_there(self) -> bool:
        found = any(any(Path("/").glob(f"{folder}/{self.program}")) for folder in self.folders)
        return found or shutil.which(self.program) is not None


SERVERS = (
    Server("postgresql", "initdb", ("usr/lib/postgresql/*/bin",)),
    Server("mariadb-server", "mariadbd", ("usr/sbin",)),
    Server("redis-server", "redis-server", ("usr/bin",)),
    # Not servers: one runs operators in a sandbox, the other opens the pages.
    Server("bubblewrap", "bwrap", ("usr/bin",)),
    Server("chromium", "chromium", ("usr/bin",)),
)


def main() -> int:
    """Install what is missing; 1 and a message when that cannot be done."""
    missing = [server.package for server in SERVERS if not server.is_there]
    if not missing:
        return 0
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(
            f"servers: the tests need {' and '.join(missing)}. Install them: {' '.join(command)}",
            file=sys.stderr,
        )
        return 1
    print(f"Installing {' and '.join(missing)} ...", flush=True)
    return _apt(["apt-get", "update"]) or _apt(command)


def _apt(command: Iterable[str]) -> int:
    # RUNLEVEL=1 keeps Debian from starting what it has installed.
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(
        list(command), env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        print((done.stdout + done.stderr)[-2000:], file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
