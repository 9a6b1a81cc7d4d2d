"""``aqueduct-airflow init``: the loader, and the block of airflow.cfg for a bundle."""

from __future__ import annotations

import ast
import configparser
import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.cli import main
from aqueduct_provider.cli.init import LOADER

ROOT = Path(__file__).parents[3]
Captured = pytest.CaptureFixture[str]


def test_init_writes_a_loader_that_airflow_opens(tmp_path: Path, capsys: Captured) -> None:
    assert main(["init", str(tmp_path)]) == 0
    file = tmp_path / "aqueduct_dags.py"
    text = file.read_text("utf-8")
    assert str(file) in capsys.readouterr().out
    # Airflow's safe mode looks for these two words.
    assert "airflow" in text.lower()
    assert "dag" in text.lower()
    assert len(ast.parse(text).body) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["aqueduct_dags.py"]


@pytest.mark.parametrize("connection", ["aqueduct_default", 'it\'s "mine" \N{SNOWMAN}'])
def test_init_for_a_store_as_well(connection: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["init", str(tmp_path), "--connection", connection]) == 0
    assert connection in capsys.readouterr().out
    text = (tmp_path / "aqueduct_dags.py").read_text("utf-8")
    assert "airflow" in text
    assert len(text.splitlines()) == 3
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    assert [ast.literal_eval(keyword.value) for call in calls for keyword in call.keywords] == [connection]
    assert main(["init", str(tmp_path), "--connection", connection]) == 0
    assert "is unchanged" in capsys.readouterr().out
    assert main(["init", str(tmp_path)]) == 2


def test_the_example_is_the_same_loader() -> None:
    assert (ROOT / "dags_example/aqueduct_dags.py").read_text("utf-8") == LOADER


def test_init_replaces_a_different_file_only_when_forced(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "aqueduct_dags.py"
    file.write_text("mine = 1\n", "utf-8")
    assert main(["init", str(tmp_path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert file.read_text("utf-8") == "mine = 1\n"
    assert main(["init", "--force", str(tmp_path)]) == 0
    assert file.read_text("utf-8") == LOADER
    assert main(["init", str(tmp_path)]) == 0
    assert "is unchanged" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["init"],
        ["init", "{tmp}/no/such/folder"],
        ["init", "{tmp}/file"],
        ["init", "{tmp}/taken"],
        ["init", "{tmp}", "--bundle", "--connection", "team"],
    ],
)
def test_mistakes_are_one_line_on_stderr(arguments: list[str], tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken/aqueduct_dags.py").mkdir(parents=True)
    assert main([argument.replace("{tmp}", str(tmp_path)) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("aqueduct-airflow: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "kwargs"),
    [
        ([], {"connection_id": "aqueduct_default"}),
        (["--connection", "100%"], {"connection_id": "100%"}),
        (["{tmp}"], {"folder": "{tmp}"}),
    ],
)
def test_the_block_of_a_bundle_is_what_airflow_reads(
    arguments: list[str], kwargs: dict[str, Any], tmp_path: Path, capsys: Captured
) -> None:
    given = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    assert main(["init", "--bundle", *given]) == 0
    config = configparser.ConfigParser()
    config.read_string(capsys.readouterr().out)
    assert config.getint("core", "min_serialized_dag_update_interval") == 0
    local, ours = json.loads(config.get("dag_processor", "dag_bundle_config_list"))
    assert local["name"] == "dags-folder"
    assert ours["classpath"] == "aqueduct_provider.bundles.AqueductDagBundle"
    wanted = {name: value.replace("{tmp}", str(tmp_path)) for name, value in kwargs.items()}
    assert ours["kwargs"] == {**wanted, "refresh_interval": 30}
    assert list(tmp_path.iterdir()) == []
