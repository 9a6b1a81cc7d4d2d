"""A server of the tests' own that speaks Google Cloud Storage's JSON API: gcp-storage-emulator, from PyPI.

It keeps objects in memory and asks for no credentials. Faults that it cannot be asked for come from scripted
servers.
"""

from __future__ import annotations

import json
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.demo.servers import free_port
from tests.data_servers.server import running


@dataclass(frozen=True)
class GcsServer:
    """A running server."""

    endpoint: str

    def new_bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        request = urllib.request.Request(
            f"{self.endpoint}/storage/v1/b?project=none",
            json.dumps({"name": name}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["name"] == name
        return name


@contextmanager
def gcs_server(folder: Path) -> Iterator[GcsServer]:
    """Start a server; it ends with the context.

    :param folder: not there yet.
    """
    folder.mkdir(parents=True)
    port = free_port()
    server = GcsServer(f"http://127.0.0.1:{port}")
    command = [
        *(sys.executable, "-m", "gcp_storage_emulator", "start"),
        *("--host", "127.0.0.1", "--port", str(port), "--in-memory", "--quiet"),
    ]
    log = folder.parent / f"{folder.name}.log"
    with running(command, None, log, lambda: _answers(server), "the GCS emulator"):
        yield server


def _answers(server: GcsServer) -> bool:
    try:
        with urllib.request.urlopen(f"{server.endpoint}/storage/v1/b?project=none"):
            return True
    except OSError:
        return False
