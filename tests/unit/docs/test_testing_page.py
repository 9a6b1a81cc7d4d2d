"""The script of docs/testing.md runs as it stands, next to an S3 server and no Airflow."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

from aqueduct_provider.testing import FakeAirflow
from tests.support.code_blocks import python_blocks

PAGE = Path(__file__).parents[3] / "docs" / "testing.md"


def test_the_script_prints_what_the_page_shows(
    bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text("\n".join(python_blocks(PAGE)))
    variables = {
        "AQUEDUCT_BUCKET": bucket,
        "AQUEDUCT_REGION": "us-east-1",
        "AQUEDUCT_ENDPOINT_URL": s3_server,
        "AQUEDUCT_CREDENTIALS_PATH": str(credentials_file),
        "AQUEDUCT_CONFIG": str(tmp_path / "config.toml"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    same = doctest.OutputChecker().check_output(shown, done.stdout, doctest.ELLIPSIS)
    assert same, done.stdout


def test_the_table_names_what_there_is() -> None:
    with FakeAirflow() as airflow:
        names = set(re.findall(r"(?<!\w)airflow\.(\w+)", PAGE.read_text()))
        assert {"login", "add_dag", "set_state", "calls"} <= names
        assert [name for name in names if not hasattr(airflow, name)] == []
