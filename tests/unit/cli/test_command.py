"""The command line itself: what is loaded, errors, exit codes, help."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider import __version__
from aqueduct_provider.cli import main
from aqueduct_provider.cli.command import COMMANDS
from tests.support.example_specs import native_document

ROOT = Path(__file__).parents[3]
Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("arguments", [[], ["lint"], ["lnit", "x"], ["lint", "--jsn", "x"], ["show"]])
def test_usage_errors_end_with_two(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: aqueduct-airflow" in capsys.readouterr().err


def test_version(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"aqueduct-airflow {__version__}\n"


def test_the_installed_command_needs_neither_airflow_nor_a_terminal_that_knows_unicode(
    tmp_path: Path,
) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps(native_document(**{"größe 😀": 1})), "utf-8")
    code = f"""
import sys
from aqueduct_provider.cli import main
status = main(["lint", {str(file)!r}])
assert "airflow" not in sys.modules, "airflow was imported"
sys.exit(status)
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
    )
    assert run.returncode == 1, run.stderr
    assert b"did you mean" in run.stdout or b"unknown field" in run.stdout
    assert run.stderr == b""


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "import sys; from aqueduct_provider.cli import main; sys.exit(main(['schema']))"
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.close()
    _, err = run.communicate(timeout=60)
    assert err == b""


# --- what is loaded

HEAVY = ("airflow", "rich", "pydantic", "httpx", "botocore", "pandas", "keyring", "tomlkit")


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a process has loaded that prints a version or a help text."""
    code = f"""
import sys
from aqueduct_provider.cli import main
try:
    main({list(arguments)!r})
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout
    return set(run.stderr.split())


def test_the_version_loads_no_module_of_a_subcommand() -> None:
    loaded = loaded_by("--version")
    ours = {name for name in loaded if name.startswith("aqueduct_provider.")}
    assert ours == {"aqueduct_provider.cli", "aqueduct_provider.cli.command", "aqueduct_provider.errors"}
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("module", sorted({command.module for command in COMMANDS}))
def test_help_loads_nothing_heavy(module: str) -> None:
    name = next(command.name for command in COMMANDS if command.module == module)
    loaded = loaded_by(name, "--help")
    assert not loaded & set(HEAVY)
    others = {f"aqueduct_provider.cli.{command.module}" for command in COMMANDS if command.module != module}
    assert not loaded & others


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_subcommand_has_help(command: Any, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as caught:
        main([command.name, "--help"])
    assert caught.value.code == 0
    assert command.help in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help"])
    assert command.help in capsys.readouterr().out


def test_errors_name_options_not_arguments(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AQUEDUCT_BUCKET", raising=False)
    assert main(["flows", "--config", str(tmp_path / "none.toml")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("aqueduct-airflow: No artifact store is known.")
    assert "--bucket NAME" in err
    assert "Client" not in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_docs_name_every_subcommand_and_option(command: Any, capsys: Captured) -> None:
    page = (ROOT / "docs/cli.md").read_text("utf-8")
    assert f"(#{command.name})" in page
    assert f"\n## {command.name}\n\n    aqueduct-airflow {command.name}" in page
    with pytest.raises(SystemExit):
        main([command.name, "--help"])
    options = set(re.findall(r"--[a-z][a-z0-9-]*", capsys.readouterr().out)) - {"--help"}
    assert not {option for option in options if option not in page}


def test_options_may_stand_between_other_arguments(tmp_path: Path, capsys: Captured) -> None:
    good, bad = tmp_path / "a.json", tmp_path / "b.json"
    good.write_text(json.dumps(native_document()), "utf-8")
    bad.write_text("[]", "utf-8")
    assert main(["lint", str(good), "--json", str(bad)]) == 1
    assert [item["file"] for item in json.loads(capsys.readouterr().out)] == [str(bad)]
