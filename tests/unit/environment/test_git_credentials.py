"""Credentials of git requirements: git gets them, no command line has them."""

from __future__ import annotations

import base64
import http.server
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.environment.git_credentials import without_git_credentials
from aqueduct_provider.errors import EnvironmentFailure

from .conftest import Log


def basic(user: str) -> str:
    return f"Authorization: Basic {base64.b64encode(user.encode()).decode()}"


def test_what_has_no_credentials_stays() -> None:
    lines = [
        "alpha==1.0",
        "beta @ git+https://host/x.git@v1",
        "gamma @ git+ssh://git@host/x.git",
        "a @ https://u:p@h/a.whl",
    ]
    assert without_git_credentials(lines, {}) == (lines, {})


def test_one_user_of_a_site() -> None:
    lines, variables = without_git_credentials(
        ["a @ git+https://me:p%2Fw@host:8443/x.git@v1#subdirectory=y"], {}
    )
    assert lines == ["a @ git+https://host:8443/x.git@v1#subdirectory=y"]
    assert variables == {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.https://host:8443/.extraHeader",
        "GIT_CONFIG_VALUE_0": basic("me:p/w"),
    }


def test_several_users_of_a_site() -> None:
    _, variables = without_git_credentials(
        ["git+https://token@host/x.git", "git+https://other@host/y.git"], {}
    )
    assert variables == {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "http.https://host/x.git.extraHeader",
        "GIT_CONFIG_VALUE_0": basic("token:"),
        "GIT_CONFIG_KEY_1": "http.https://host/y.git.extraHeader",
        "GIT_CONFIG_VALUE_1": basic("other:"),
    }


def test_credentials_in_variables() -> None:
    lines = ["git+https://${UV_TOKEN}@host/x.git", "git+https://${OTHER}@elsewhere/x.git"]
    _, variables = without_git_credentials(lines, {"UV_TOKEN": "planted"})
    assert variables["GIT_CONFIG_VALUE_0"] == basic("planted:")
    # What uv would not know, it would leave as well.
    assert variables["GIT_CONFIG_VALUE_1"] == basic("${OTHER}:")


class GitServer:
    """Serves nothing, and remembers who asked."""

    def __init__(self) -> None:
        self.asked = set[str | None]()
        self.asking = threading.Event()
        self.answer = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.add(self.headers["Authorization"])
                outer.asking.set()
                outer.answer.wait(20)
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def git_server() -> Iterator[GitServer]:
    server = GitServer()
    yield server
    server.answer.set()
    server.server.shutdown()
    server.server.server_close()


def test_git_gets_them_and_no_command_line_has_them(
    git_server: GitServer, builder: UvBuilder, tmp_path: Path, log: Log
) -> None:
    port = git_server.server.server_port
    url = f"git+http://user:planted-token@127.0.0.1:{port}/repo.git"
    spec = EnvironmentSpec((f"pkg @ {url}",), WORKER_PYTHON)
    seen: list[str] = []

    def look() -> None:
        git_server.asking.wait(60)
        time.sleep(0.1)
        seen.append(subprocess.run(["ps", "-eo", "args", "-ww"], capture_output=True, text=True).stdout)
        git_server.answer.set()

    looking = threading.Thread(target=look)
    looking.start()
    with pytest.raises(EnvironmentFailure):
        builder.build(spec, tmp_path / "environment", on_line=log)
    looking.join()
    assert f"127.0.0.1:{port}/repo.git" in seen[0]
    assert "planted-token" not in seen[0]
    assert git_server.asked == {basic("user:planted-token").removeprefix("Authorization: ")}
    assert "planted-token" not in log.text
