"""An S3 server of this machine alone, which forgets everything when it ends: moto in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aqueduct_provider.demo.servers import end_group, free_port, wait_until
from aqueduct_provider.errors import CommandNotStarted

BUCKET = "demo"
REGION = "us-east-1"
PROFILE = KEY_ID = SECRET = "demo"


@contextmanager
def local_s3(home: Path) -> Iterator[str]:
    """Start the server, create the bucket, and yield the server's URL.

    :param home: gets the server's log and the credentials file.
    """
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (home / "s3.log").open("wb") as log:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until(lambda: _listens(port, server, home / "s3.log"), label="the S3 server", seconds=60)
        endpoint = f"http://127.0.0.1:{port}"
        _s3_client(endpoint).create_bucket(Bucket=BUCKET)
        _write_credentials(home / "credentials")
        yield endpoint
    finally:
        end_group(server)


def _s3_client(endpoint: str) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )


def _write_credentials(path: Path) -> None:
    path.touch(mode=0o600)
    path.write_text(f"[{PROFILE}]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")


def _listens(port: int, server: subprocess.Popen[bytes], log: Path) -> bool:
    if server.poll() is not None:
        wrote = log.read_text(errors="replace")[-2000:]
        raise CommandNotStarted(
            f"the S3 server ended with exit code {server.returncode}; it wrote:\n{wrote}".rstrip()
        )
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
