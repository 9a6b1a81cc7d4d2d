"""A package index in a folder, with tiny wheels made on the spot, and caches that uv fills from it."""

from __future__ import annotations

import base64
import hashlib
import http.server
import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import EnvironmentCache


class Index:
    """A simple repository (PEP 503) in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def add(self, name: str, version: str, *requires: str) -> Path:
        """A wheel with one module, whose ``version`` is a string."""
        wheel = self.folder / name / f"{name}-{version}-py3-none-any.whl"
        wheel.parent.mkdir(exist_ok=True)
        info = f"{name}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        files = {
            f"{name}.py": f"version = {version!r}\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
            archive.writestr(f"{info}/RECORD", "".join(map(_record, files.items())) + f"{info}/RECORD,,\n")
        links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in wheel.parent.glob("*.whl"))
        (wheel.parent / "index.html").write_text(links)
        return wheel

    def add_source(self, name: str, build: str) -> str:
        """A source folder whose build runs this code; the requirement that asks for it."""
        folder = self.folder.parent / f"{name}-source"
        folder.mkdir()
        wheel = self.add(name, "1.0")
        (folder / "pyproject.toml").write_text(
            "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
            f"[project]\nname = '{name}'\nversion = '1.0'\n"
        )
        (folder / "backend.py").write_text(
            "import shutil, pathlib, sys, os, time\n"
            "def build_wheel(folder, *_):\n"
            + "".join(f"    {line}\n" for line in build.splitlines())
            + f"    shutil.copy({str(wheel)!r}, folder)\n    return {wheel.name!r}\n"
        )
        return f"{name} @ {folder.as_uri()}"


def _record(item: tuple[str, str]) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(item[1].encode()).digest()).rstrip(b"=").decode()
    return f"{item[0]},sha256={digest},{len(item[1])}\n"


@pytest.fixture
def index(tmp_path: Path) -> Index:
    index = Index(tmp_path / "index")
    index.add("alpha", "1.0")
    index.add("alpha", "2.0")
    return index


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def variables(index: Index, uv_cache: Path) -> dict[str, str]:
    """A worker's environment, whose uv knows only the index in the folder."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "UV_CACHE_DIR": str(uv_cache),
        "UV_DEFAULT_INDEX": index.url,
        "UV_HTTP_RETRIES": "0",
    }


@pytest.fixture
def builder(variables: Mapping[str, str]) -> UvBuilder:
    return UvBuilder(variables=variables)


@pytest.fixture
def cache(tmp_path: Path, builder: UvBuilder) -> EnvironmentCache:
    return EnvironmentCache(tmp_path / "root", builder, max_bytes=10**9)


class Log:
    """Takes the place of a task log."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, stream: str, text: str) -> None:
        self.lines.append(text)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def log_that(log: Log) -> Callable[[str, Callable[[], Any]], Callable[[str, str], None]]:
    """A log that does something when a line holds a text."""

    def make(text: str, action: Callable[[], Any]) -> Callable[[str, str], None]:
        def on_line(stream: str, line: str) -> None:
            log(stream, line)
            if text in line:
                action()

        return on_line

    return make


class PrivateIndex(http.server.SimpleHTTPRequestHandler):
    """Serves files to those who know the password."""

    password = base64.b64encode(b"user:s3cret").decode()

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == f"Basic {self.password}":
            super().do_GET()
        else:
            self.send_error(401)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def private_index(index: Index) -> Iterator[int]:
    """Its port."""
    handler = partial(PrivateIndex, directory=str(index.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
