"""Data systems on the command line: connect, test, look, and the demo database."""

from __future__ import annotations

import json
import shlex
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import keyring.backends.null
import pytest
import tomlkit

from aqueduct_provider.cli import main
from tests.support.keyrings import selected

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_keyring() -> Iterator[None]:
    with selected(keyring.backends.null.Keyring()):  # type: ignore[no-untyped-call]
        yield


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE sales (day TEXT)")
    return path


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO(text))


def run(config: Path, *words: str) -> int:
    return main([*words, "--config", str(config)])


def kept(config: Path) -> dict[str, Any]:
    resources: dict[str, Any] = tomlkit.parse(config.read_text("utf-8")).unwrap()["resources"]
    return resources


@pytest.mark.parametrize("how", [["--service", "SQLite"], ["sqlite"]])
def test_a_database_is_connected_tested_and_looked_at(
    how: list[str], config: Path, shop: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop.parent)
    more = ["--database", "shop.db", "--connection-id", "shop"]
    assert run(config, "connect", "my shop", *how, *more) == 0
    assert capsys.readouterr().out.startswith("Connected 'my shop': SQLite")
    expected = {"service": "SQLite", "database": str(shop), "connection_id": "shop"}
    assert kept(config) == {"my shop": expected}
    assert run(config, "test", "my shop") == 0
    assert "SQLite" in capsys.readouterr().out
    assert run(config, "tables", "my shop") == 0
    assert capsys.readouterr().out == "sales\n"
    assert run(config, "tables", "my shop", "--json") == 0
    assert json.loads(capsys.readouterr().out) == ["sales"]
    assert run(config, "resources") == 0
    assert str(shop) in capsys.readouterr().out.replace("\n", "")
    assert run(config, "resources", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"name": "my shop", **expected, "options": None, "login": None}
    ]
    assert run(config, "disconnect", "my shop") == 0
    assert run(config, "tables", "my shop") == 1
    assert "aqueduct-airflow connect 'my shop' --service SERVICE" in capsys.readouterr().err


def test_the_demo_database(config: Path, capsys: Captured) -> None:
    assert run(config, "tables", "Demo") == 0
    assert capsys.readouterr().out.split() == [
        *("customer_activity", "customers", "hotel_reviews", "mpg", "tips", "wine")
    ]
    assert run(config, "test", "Demo") == 0


def test_an_airflow_has_no_tables(config: Path, capsys: Captured) -> None:
    config.write_text('[resources.cluster]\nservice = "Airflow"\nhost = "127.0.0.1:9"\n')
    config.chmod(0o600)
    assert run(config, "tables", "cluster") == 2
    assert "'cluster' is Airflow, which has no tables" in capsys.readouterr().err
    assert run(config, "test", "cluster") == 1
    assert "127.0.0.1:9" in capsys.readouterr().err


def test_files_of_a_bucket(
    config: Path,
    bucket: str,
    s3_server: str,
    s3_client: Any,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3_client.put_object(Bucket=bucket, Key="a.csv", Body=b"a")
    stdin(monkeypatch, "s3cret\n")
    more = [
        "--bucket",
        bucket,
        "--region",
        "us-east-1",
        "--endpoint-url",
        s3_server,
        "--access-key-id",
        "key",
    ]
    assert run(config, "connect", "lake", "--service", "S3", *more, "--secret-key-stdin") == 0
    assert kept(config)["lake"]["secret_access_key"] == "s3cret"
    assert run(config, "tables", "lake") == 0
    assert run(config, "resources", "--json") == 0
    out = capsys.readouterr().out
    assert "a.csv\n" in out
    assert '"login": "secret_access_key"' in out
    assert "s3cret" not in out


# --- secrets

UNREACHABLE = "postgresql://ann@127.0.0.1:9/shop"


@pytest.mark.parametrize("password", ["s3cret", "s3/cret", "s3:cret"])
def test_a_password_in_a_url_is_refused(password: str, config: Path, capsys: Captured) -> None:
    url = f"postgresql://ann:{password}@127.0.0.1:9/shop"
    assert run(config, "connect", "wh", "--service", "Postgres", "--url", url) == 2
    err = capsys.readouterr().err
    assert "a password in --url could be seen by others" in err
    assert password not in err


def test_secrets_among_options_are_no_arguments_and_are_not_listed(
    config: Path, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = "sslpassword=planted-31&sslmode=require"
    assert (
        run(config, "connect", "wh", "--service", "Postgres", "--url", UNREACHABLE, "--options", options) == 2
    )
    out, err = capsys.readouterr()
    assert "sslpassword in --options could be seen by others" in err
    assert "AQUEDUCT_WH_OPTIONS" in err
    config.write_text(f'[resources.wh]\nservice = "Postgres"\nhost = "h"\noptions = "{options}"\n')
    config.chmod(0o600)
    assert run(config, "resources", "--json") == 0
    out += capsys.readouterr().out
    assert "sslpassword=***&sslmode=require" in out
    assert "planted-31" not in out + err


def test_what_is_no_url(config: Path, capsys: Captured) -> None:
    assert run(config, "connect", "wh", "--service", "Postgres", "--url", "postgresql://[db/shop") == 1
    assert "url: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "text", "name"),
    [
        ("--url-stdin", "postgresql://ann:s3cret@127.0.0.1:9/shop", "Postgres"),
        ("--password-stdin", "s3cret", "Postgres"),
        ("--url-stdin", "mongodb://ann:s3cret@127.0.0.1:9/shop?serverSelectionTimeoutMS=200", "MongoDB"),
    ],
)
def test_what_does_not_answer_is_not_kept_and_shows_no_secret(
    option: str, text: str, name: str, config: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, text)
    url = [] if "url" in option else ["--url", UNREACHABLE]
    assert run(config, "connect", "wh", "--service", name, *url, option) == 1
    out, err = capsys.readouterr()
    assert "127.0.0.1" in err
    assert "s3cret" not in out + err
    assert not config.exists()


def test_the_secret_of_a_service_comes_from_its_variable(
    config: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, "")
    monkeypatch.setenv("AQUEDUCT_DOCS_AUTH_URI", "postgresql://no-mongo")
    monkeypatch.setenv("AQUEDUCT_DOCS_PASSWORD", "s3cret")
    assert run(config, "connect", "docs", "--service", "MongoDB", "--database", "d") == 1
    assert "auth_uri" in capsys.readouterr().err


def test_a_service_that_cannot_be_connected(config: Path, capsys: Captured) -> None:
    assert run(config, "connect", "x", "--service", "Postgress") == 1
    assert "Did you mean 'Postgres'?" in capsys.readouterr().err


# --- the demo database for Airflow


def test_writing_the_demo_database(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "my demo.sqlite"
    assert main(["demo-db", str(path)]) == 0
    out = capsys.readouterr().out
    command = shlex.split(out.partition(": ")[2])
    assert command[:5] == ["airflow", "connections", "add", "aqueduct_demo", "--conn-json"]
    assert json.loads(command[5]) == {"conn_type": "sqlite", "host": str(path)}
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM wine").fetchone() == (6497,)
    assert main(["demo-db", str(path)]) == 2
    assert "already exists; --force replaces it" in capsys.readouterr().err
    path.write_text("something else")
    assert main(["demo-db", str(path), "--force"]) == 0
    assert path.read_bytes().startswith(b"SQLite format 3")
