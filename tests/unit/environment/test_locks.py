"""Who holds the lock of an environment, and for how long."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import EnvironmentCache
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.errors import EnvironmentBuildError, RequirementsError, is_retryable
from tests.support.process_checks import wait_until_no_command_has

from .conftest import Index, Log


def test_a_daemon_of_a_failed_build_ends_with_it(cache: EnvironmentCache, index: Index, log: Log) -> None:
    daemon = (
        "import os, time; os.setsid(); os.fork() and os._exit(0); os.environ.clear();"
        " os.execve('/bin/sleep', ['sleep', '600.3141'], {})"
    )
    quiet = "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"
    start = f"subprocess.run([sys.executable, '-c', {daemon!r}], {quiet})"
    source = index.add_source("daemonic", f"import subprocess\n{start}\ntime.sleep(0.2)\nsys.exit(3)")
    for _ in range(2):
        with pytest.raises(RequirementsError), cache.lease(EnvironmentSpec((source,), WORKER_PYTHON), log):
            pass
        wait_until_no_command_has("600.3141")


def test_waiting_has_an_end_and_names_who_holds_the_lock(
    tmp_path: Path, builder: UvBuilder, cache: EnvironmentCache, log: Log
) -> None:
    asked = EnvironmentSpec((), WORKER_PYTHON)
    with cache.lease(asked, log) as environment:
        name = environment.fingerprint
    lock = os.open(tmp_path / "root" / "locks" / f"{name}.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", "the-holder"]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[lock])
    os.close(lock)
    impatient = EnvironmentCache(tmp_path / "root", builder, max_bytes=10**9, max_wait=0.3)
    try:
        with (
            pytest.raises(
                EnvironmentBuildError, match=rf"not free in time: .*process {holder.pid} .*the-holder"
            ) as caught,
            impatient.lease(asked, log),
        ):
            pass
        assert is_retryable(caught.value)
    finally:
        holder.communicate()
    with impatient.lease(asked, log) as environment:
        assert environment.reused
