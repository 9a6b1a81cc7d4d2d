"""Connecting resources on the command line: secrets come from anywhere but the arguments."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring.backends.null
import pytest
import tomlkit

from aqueduct_provider.cli import main
from aqueduct_provider.testing import FakeAirflow
from tests.support.keyrings import selected

ROOT = Path(__file__).parents[3]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def fake() -> Iterator[FakeAirflow]:
    with selected(keyring.backends.null.Keyring()), FakeAirflow() as made:  # type: ignore[no-untyped-call]
        yield made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def connect(fake: FakeAirflow, config: Path, *more: str) -> int:
    return main(["connect", "my cluster", "--host", fake.url, "--config", str(config), *more])


def kept(config: Path) -> dict[str, Any]:
    resource: dict[str, Any] = tomlkit.parse(config.read_text("utf-8")).unwrap()["resources"]["my cluster"]
    return resource


def test_the_password_from_stdin(
    fake: FakeAirflow, config: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, f"{fake.password}\n")
    more = ["--username", fake.user, "--password-stdin", "--python-versions", "3.11,3.12"]
    assert connect(fake, config, *more, "--s3-credentials-path", "/on/workers") == 0
    out, err = capsys.readouterr()
    assert out.startswith("Connected 'my cluster': ")
    assert fake.password not in out + err
    resource = kept(config)
    assert (resource["host"], resource["username"], resource["password"]) == (fake.url, "ann", fake.password)
    assert resource["service"] == "Airflow"
    assert resource["s3_credentials_path"] == "/on/workers"


def test_a_token_from_stdin_or_a_variable(
    fake: FakeAirflow, config: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.tokens.add("abc")
    stdin(monkeypatch, "abc")
    assert connect(fake, config, "Airflow", "--token-stdin") == 0
    assert kept(config)["token"] == "abc"
    config.unlink()
    stdin(monkeypatch, "")
    monkeypatch.setenv("AQUEDUCT_MY_CLUSTER_TOKEN", "abc")
    assert connect(fake, config) == 0
    assert "abc" not in capsys.readouterr().out


def test_the_password_from_a_variable(
    fake: FakeAirflow, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, "")
    monkeypatch.setenv("AQUEDUCT_MY_CLUSTER_PASSWORD", fake.password)
    assert connect(fake, config, "--username", fake.user) == 0


def test_without_a_user(fake: FakeAirflow, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.all_admins = True
    monkeypatch.setenv("AQUEDUCT_MY_CLUSTER_PASSWORD", "of somebody else")
    assert connect(fake, config) == 0
    assert set(kept(config)) == {"service", "host"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--username", "ann"], "AQUEDUCT_MY_CLUSTER_PASSWORD"),
        (["--username", "ann", "--password-stdin"], "stdin is empty"),
        (["--token-stdin"], "write the token to it"),
    ],
)
def test_a_secret_that_is_missing(
    more: list[str],
    message: str,
    fake: FakeAirflow,
    config: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stdin(monkeypatch, "\n")
    assert connect(fake, config, *more) == 2
    assert message in capsys.readouterr().err
    assert not config.exists()


def test_no_secret_is_an_argument(capsys: Captured) -> None:
    for option in ("--password", "--token"):
        with pytest.raises(SystemExit):
            main(["connect", "x", "--host", "h", option, "secret"])
        assert "unrecognized arguments" in capsys.readouterr().err


def test_what_does_not_work_is_not_kept(
    fake: FakeAirflow, config: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, "wrong")
    assert connect(fake, config, "--username", fake.user, "--password-stdin") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("aqueduct-airflow: ")
    assert "wrong" not in err.replace("wrong user", "")
    assert not config.exists()


def test_paths_are_made_absolute(
    fake: FakeAirflow, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fake.all_admins = True
    assert connect(fake, config, "--dags-folder", "dags") == 0
    assert kept(config)["dags_folder"] == str(tmp_path / "dags")
    assert connect(fake, config, "--dags-folder", "~/dags") == 0
    assert kept(config)["dags_folder"] == "~/dags"


def test_a_terminal_is_asked(fake: FakeAirflow, config: Path) -> None:
    code = "import sys; from aqueduct_provider.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "connect", "my cluster", "--host", fake.url]
    command += ["--username", fake.user, "--config", str(config)]
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    while b"Password: " not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, fake.password.encode() + b"\n")
    while process.poll() is None:
        try:
            shown += os.read(ours, 1000)
        except OSError:  # The terminal is closed.
            break
    assert process.wait(60) == 0, shown
    os.close(ours)
    assert kept(config)["password"] == fake.password
    assert fake.password.encode() not in shown


# --- resources, disconnect


def test_resources(
    fake: FakeAirflow, config: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--config", str(config)]
    assert main(["resources", *options]) == 0
    assert "No resource is connected. aqueduct-airflow connect" in capsys.readouterr().out
    stdin(monkeypatch, fake.password)
    more = ["--username", fake.user, "--password-stdin", "--python-versions", "3.11,3.12"]
    connect(fake, config, *more, "--connection-id", "store")
    capsys.readouterr()
    assert main(["resources", *options]) == 0
    out = capsys.readouterr().out
    assert "my cluster" in out
    assert fake.url in out
    assert fake.password not in out
    assert main(["resources", "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "my cluster",
            "service": "Airflow",
            "host": fake.url,
            "username": "ann",
            "s3_credentials_path": None,
            "s3_credentials_profile": None,
            "connection_id": "store",
            "dags_folder": None,
            "ca_file": None,
            "python_versions": ["3.11", "3.12"],
            "login": "password",
        }
    ]


def test_disconnect(fake: FakeAirflow, config: Path, capsys: Captured) -> None:
    fake.all_admins = True
    connect(fake, config)
    assert main(["disconnect", "my clustr", "--config", str(config)]) == 1
    assert "Did you mean 'my cluster'?" in capsys.readouterr().err
    assert main(["disconnect", "my cluster", "--config", str(config)]) == 0
    assert "Disconnected 'my cluster'." in capsys.readouterr().out
    assert main(["resources", "--json", "--config", str(config)]) == 0
    assert json.loads(capsys.readouterr().out) == []
