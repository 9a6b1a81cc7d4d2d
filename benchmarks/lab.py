"""What benchmarks share: a scratch folder, an S3 server, a proxy in front of it, clean processes."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqueduct_provider.storage.s3 import S3Settings, S3Store, connect
from benchmarks.flows import RUN_ID, Flow
from benchmarks.task import Order, Report
from tests.oracle.harness import Store
from tools.environments import UV_HOME, index_settings

ROOT = Path(__file__).resolve().parent.parent
# Variables of the caller that would change what a task does.
_FOREIGN = ("AIRFLOW", "_AIRFLOW", "AWS_", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV")


class BenchmarkFailed(Exception):
    """Something that was to be measured did not work."""


@dataclass(frozen=True)
class Proxy:
    """A proxy that counts."""

    endpoint: str
    log: Path

    @property
    def requests(self) -> list[str]:
        """Method and path of every request so far."""
        return self.log.read_text().splitlines()


@dataclass(frozen=True)
class Lab:
    """The scratch folder and the server of one benchmark.

    :param port: where the S3 server listens.
    """

    folder: Path
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def variables(self, **settings: str) -> dict[str, str]:
        """The environment variables of a process.

        :param settings: options of the ``[aqueduct]`` section.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        options = {f"AIRFLOW__AQUEDUCT__{name.upper()}": value for name, value in settings.items()}
        own = {
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "TMPDIR": str(self.folder / "tmp"),
        }
        return {**inherited, **package_index(), **own, **options}

    def bucket(self, endpoint: str | None = None) -> Store:
        """A new bucket, and a credentials file whose profile names the endpoint, for specs that cannot."""
        import boto3

        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="benchmark",
            aws_secret_access_key="benchmark",
        )
        name = f"benchmark-{uuid.uuid4().hex[:12]}"
        client.create_bucket(Bucket=name)
        path = self.folder / f"{name}.credentials"
        path.write_text(
            "[default]\naws_access_key_id = benchmark\naws_secret_access_key = benchmark\n"
            f"endpoint_url = {endpoint or self.endpoint}\n"
        )
        return Store(client, name, path)

    def dag_folder(self, flow: Flow) -> Path:
        """A new folder with the flow's spec."""
        folder = Path(tempfile.mkdtemp(prefix="dags-", dir=self.folder))
        (folder / f"{flow.document['dag_id']}.json").write_text(json.dumps(flow.document))
        return folder

    def run_task(
        self, folder: Path, flow: Flow, manifest: Mapping[str, Any], *, phases: bool = False, **settings: str
    ) -> Report:
        """Run the flow's task in a process of its own.

        :param manifest: what the task before it left in XCom.
        :param settings: options of the ``[aqueduct]`` section.
        """
        dag_id = flow.document["dag_id"]
        order = Order(str(folder), dag_id, RUN_ID, {"source": manifest}, phases=phases)
        text = json.dumps(dataclasses.asdict(order))
        output = run([sys.executable, "-m", "benchmarks.task"], self.variables(**settings), text)
        return Report(**json.loads(output.splitlines()[-1]))

    @contextmanager
    def proxy(self, delay_ms: int) -> Iterator[Proxy]:
        """A proxy in front of the server that lets each request wait."""
        log = self.folder / f"requests-{uuid.uuid4().hex}.log"
        log.touch()
        command = [sys.executable, "-m", "benchmarks.proxy", str(self.port), str(delay_ms), str(log)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout
                yield Proxy(f"http://127.0.0.1:{int(process.stdout.readline())}", log)
            finally:
                process.terminate()


@contextmanager
def open_lab(port: int | None = None) -> Iterator[Lab]:
    """A lab, of which nothing is left afterwards.

    :param port: of an S3 server that is running; None: a new one.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(_scratch())
        yield Lab(folder, port or stack.enter_context(s3_server()))


@contextmanager
def s3_server() -> Iterator[int]:
    """The port of a new S3 server."""
    with _scratch() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        with (folder / "moto.log").open("wb") as log:
            server = subprocess.Popen(command, env=Lab(folder, port).variables(), stdout=log, stderr=log)
        try:
            _await(server, port)
            yield port
        finally:
            server.terminate()
            server.wait()


@contextmanager
def _scratch() -> Iterator[Path]:
    """A new folder, beside the repository and not in /tmp, which may be memory."""
    work = ROOT / ".work"
    work.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=work, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        yield folder


def store_of(store: Store) -> S3Store:
    """The bucket as this package sees it."""
    return connect(S3Settings(store.bucket, "us-east-1", credentials_path=str(store.credentials_path)))


def package_index() -> dict[str, str]:
    """The machine's pip configuration as uv has it, where it can be read."""
    return index_settings() if UV_HOME.exists() else {}


def run(command: Sequence[str], variables: Mapping[str, str], text: str = "") -> str:
    """What a command prints.

    :raises BenchmarkFailed: it fails.
    """
    done = subprocess.run(command, cwd=ROOT, env=variables, input=text, capture_output=True, text=True)
    if done.returncode:
        output = (done.stdout + done.stderr)[-4000:]
        raise BenchmarkFailed(f"{' '.join(command)[:200]} ended with exit code {done.returncode}:\n{output}")
    return done.stdout


def _await(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise BenchmarkFailed("the S3 server did not start")
