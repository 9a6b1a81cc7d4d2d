"""What several suites share: a real S3 server, a bucket, a credentials file, logs kept out of stdout."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.data_servers.mariadb import MariaDbServer, mariadb_server
from tests.data_servers.postgres import PostgresServer, postgres_server
from tests.support.fault_proxy import FaultProxy
from tools.environments import run_uv

if "AIRFLOW_HOME" not in os.environ:
    # Before the first import of Airflow, which writes its configuration there; processes of tests inherit it.
    _HOME = tempfile.TemporaryDirectory(prefix="airflow-home-", ignore_cleanup_errors=True)
    os.environ["AIRFLOW_HOME"] = _HOME.name
    atexit.register(_HOME.cleanup)
# Airflow 2.11 warns about its own default of this option, whichever test imports its models first.
os.environ.setdefault("AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY", "True")


# The first two are of Airflow 3, which has two copies.
_MASKERS = (
    "airflow._shared.secrets_masker.secrets_masker",
    "airflow.sdk._shared.secrets_masker.secrets_masker",
    "airflow.utils.log.secrets_masker",
)
# Suites that start an Airflow, or the original, or build environments for each test.
_SLOW = {Path(__file__).parent / name for name in ("chaos", "integration", "oracle", "releases")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _SLOW.intersection(item.path.parents):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    # Thousands of tests, and all modules, stay until the end: no collection need look at them.
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _logs_stay_out_of_stdout() -> Iterator[None]:
    """Airflow, once a test has imported it, prints every log line to stdout, results or not."""
    root = logging.getLogger()
    airflows = [handler for handler in root.handlers if _is_airflows(handler)]
    for handler in airflows:
        root.removeHandler(handler)
    yield
    for handler in airflows:
        root.addHandler(handler)


@pytest.fixture(autouse=True)
def _airflow_forgets_secrets() -> Iterator[None]:
    """Airflow's masker keeps all secrets of its process, and compiles them again with each new one."""
    yield
    for name in _MASKERS:
        if name in sys.modules:
            masker = sys.modules[name]._secrets_masker()
            masker.patterns, masker.replacer = set(), None


def _is_airflows(handler: logging.Handler) -> bool:
    """Whether Airflow has made it: 2.11 has handlers of its own, 3 formats with structlog."""
    made_of = (type(handler), type(handler.formatter))
    return any(kind.__module__.startswith(("airflow", "structlog")) for kind in made_of)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint URL of a moto server in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _wait_for(port, server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"the moto server did not start:\n{log.read_text()}")


@pytest.fixture
def faults(s3_server: str) -> Iterator[FaultProxy]:
    """A proxy in front of the S3 server, which injects no faults until it is told to."""
    with FaultProxy(s3_server) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def s3_client(s3_server: str) -> Iterator[Any]:
    """A boto3 client of the server, for what tests put into it and find in it."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=s3_server,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    yield client
    client.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of one megabyte, at a short path."""
    with tempfile.TemporaryDirectory(prefix="disk-") as name:
        options = "size=1000000,nr_inodes=500,mode=0700"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", name], capture_output=True, text=True
        )
        if mounted.returncode != 0:
            pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.strip()}")
        try:
            yield Path(name)
        finally:
            # Lazily: what a failed test left open must not keep it.
            subprocess.run(["umount", "--lazy", name], check=True)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This package as a wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    run_uv("build", "--quiet", "--wheel", "--out-dir", str(folder))
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of the session's own."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDbServer]:
    """A MariaDB of the session's own."""
    with mariadb_server() as server:
        yield server


@pytest.fixture
def bucket(s3_client: Any) -> str:
    """The name of a new, empty bucket."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def credentials_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AWS credentials file with two profiles, ``default`` and ``research``."""
    path = tmp_path_factory.mktemp("aws") / "credentials"
    path.write_text(
        "[default]\naws_access_key_id = default-key\naws_secret_access_key = default-secret\n\n"
        "[research]\naws_access_key_id = research-key\naws_secret_access_key = research-secret\n"
    )
    path.chmod(0o600)
    return path
