from __future__ import annotations

import ast
from pathlib import Path

import pytest

from aqueduct_provider.demo import tour
from aqueduct_provider.errors import ConfigError
from tests.support.code_blocks import python_blocks
from tests.unit.demo.test_stack import stack

ROOT = Path(__file__).parents[3]


def test_the_script_is_that_of_the_readme() -> None:
    page = ROOT / "README.md"
    assert tour.script_of(page.read_text("utf-8")) == "\n".join(python_blocks(page))


def test_the_installed_package_has_a_script() -> None:
    tree = ast.parse(tour.readme_script())
    assert "publish_flow" in ast.unparse(tree)


def test_what_is_missing_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour, "NEEDED", ("json", "no_such_module"))
    message = r'not installed \(no_such_module\): pip install "airflow-provider-aqueduct\[demo\]"'
    with pytest.raises(ConfigError, match=message):
        tour.check_installation()


@pytest.mark.parametrize(("version", "fits"), [("2.11.2", False), ("3.0.6", True)])
def test_airflow_2_is_refused(version: str, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: version)
    if fits:
        tour.check_installation()
    else:
        with pytest.raises(ConfigError, match=r"needs Airflow 3, but here is 2\.11\.2"):
            tour.check_installation()


@pytest.mark.parametrize(
    ("script", "good"), [("import os; os.environ['AQUEDUCT_BUCKET']", True), ("1/0", False)]
)
def test_a_script_runs_in_the_stacks_folder_with_its_variables(
    script: str, good: bool, tmp_path: Path
) -> None:
    assert tour.run_script(stack(tmp_path), script, tour.Steps()) is good


def test_where_to_look(tmp_path: Path) -> None:
    running = stack(tmp_path)
    text = tour.where_to_look(running, tmp_path / "demo.env", with_run=True)
    for part in (running.airflow.login.url, running.airflow.login.password, "quickstart.py", "demo.env"):
        assert part in text
    assert "quickstart.py" not in tour.where_to_look(running, tmp_path / "demo.env", with_run=False)


def test_steps_are_lines_with_their_times(capsys: pytest.CaptureFixture[str]) -> None:
    steps = tour.Steps()
    steps.begin("an S3 server")
    steps.begin("[Airflow]")
    steps.end()
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ... ")[0] for line in lines] == ["Starting an S3 server", "Starting [Airflow]"]
