from __future__ import annotations

import json
import subprocess
from pathlib import Path

from aqueduct_provider.demo.local_airflow import LocalAirflow
from aqueduct_provider.demo.stack import S3Place, Stack, _write_loader, demo_connection


def stack(home: Path) -> Stack:
    place = S3Place("http://127.0.0.1:9", "demo", home / "it's here", "demo")
    return Stack(home, LocalAirflow(home / "airflow"), place)


def test_a_shell_reads_the_variables_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "new" / "demo.env"
    stack(tmp_path).write_variables(path)
    assert path.stat().st_mode & 0o777 == 0o600
    command = f". '{path}' && echo \"$AQUEDUCT_CREDENTIALS_PATH\""
    assert subprocess.check_output(["sh", "-c", command], text=True) == f"{tmp_path}/it's here\n"


def test_the_connection_names_the_store() -> None:
    place = S3Place("http://127.0.0.1:9", "demo", Path("credentials"), "demo", root_dir="flows")
    found = json.loads(place.connection())
    assert found["conn_type"] == "aqueduct"
    assert (found["extra"]["bucket"], found["extra"]["root_dir"]) == ("demo", "flows")


def test_the_loader_shows_the_folder_and_the_store(tmp_path: Path) -> None:
    _write_loader(tmp_path)
    (loader,) = tmp_path.glob("*.py")
    assert 'connection_id="aqueduct_default"' in loader.read_text()


def test_the_demo_database_is_a_connection(tmp_path: Path) -> None:
    (connection,) = demo_connection(tmp_path).values()
    assert Path(json.loads(connection)["host"]).is_file()
