from __future__ import annotations

import ast
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from aqueduct_provider.demo import tour
from aqueduct_provider.demo.local_airflow import Login
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.testing import FakeAirflow
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
    ("script", "good"),
    [
        ("import os; os.environ['AQUEDUCT_BUCKET']", True),
        ("import os, tempfile; assert tempfile.gettempdir() == os.getcwd()", True),
        ("1/0", False),
    ],
)
def test_a_script_runs_in_the_stacks_folder_with_its_variables(
    script: str, good: bool, tmp_path: Path
) -> None:
    assert tour.run_script(stack(tmp_path), script, tour.Steps()) is good


# A job in the background, and nohup, let these tests ignore signals, and so what they start.
_ENDLESS = """
import signal
import sys
from aqueduct_provider.demo import tour

signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
tour._end_when_asked()
try:
    print("waiting", flush=True)
    sys.stdin.readline()
except KeyboardInterrupt:
    print("ending", flush=True)
    sys.stdin.readline()
    print("ended")
"""


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_comes_while_it_ends_does_not_keep_it_from_ending(first: signal.Signals) -> None:
    command = [sys.executable, "-c", _ENDLESS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin
        assert running.stdout
        assert running.stdout.readline() == "waiting\n"
        running.send_signal(first)
        assert running.stdout.readline() == "ending\n"
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            running.send_signal(number)
        assert running.communicate("\n")[0] == "ended\n"
    assert running.returncode == 0


def test_under_nohup_it_outlives_its_terminal() -> None:
    program = _ENDLESS.replace("tour._end", "signal.signal(1, signal.SIG_IGN); tour._end")
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "waiting\n"
        running.send_signal(signal.SIGHUP)
        assert running.communicate("\n")[0] == ""
    assert running.returncode == 0


@pytest.mark.parametrize(
    ("given", "direct"),
    [({}, "127.0.0.1"), ({"NO_PROXY": "intra"}, "intra,127.0.0.1"), ({"no_proxy": "*"}, "*,127.0.0.1")],
)
def test_the_users_own_settings_are_forgotten(given: dict[str, str], direct: str) -> None:
    own = ("AIRFLOW_HOME", "AIRFLOW__CORE__X", "_AIRFLOW_X", "AQUEDUCT_DEMO_TOKEN", "AWS_PROFILE")
    environment = {**dict.fromkeys(own, "x"), "HTTP_PROXY": "http://proxy", "PATH": "/bin", **given}
    tour.forget_settings(environment)
    assert environment == {
        "HTTP_PROXY": "http://proxy",
        "PATH": "/bin",
        **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/dev/null"),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), direct),
    }


def test_where_no_folder_can_be_made_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/no-such-folder")
    with pytest.raises(ConfigError, match=r"no folder can be made for the demo: .* Set TMPDIR"):
        tour._new_folder()


@pytest.mark.parametrize(
    ("good", "keep", "lines"),
    [
        (
            True,
            False,
            ["PASSED after 3 s.", "The run's page:    http://a/runs/one", "It ends with its servers"],
        ),
        (True, True, ["PASSED after 3 s."]),
        (
            False,
            False,
            [
                "FAILED after 3 s.",
                "The reason is above.",
                "The run's page:    http://a/runs/one",
                "It ends with its servers",
            ],
        ),
        (False, True, ["FAILED after 3 s.", "The reason is above."]),
    ],
)
def test_the_end_says_what_to_do(good: bool, keep: bool, lines: list[str]) -> None:
    made = tour.Tour("1", keep=keep, again="again --keep").verdict(3.2, "http://a/runs/one", good=good)
    found = made.splitlines()
    assert keep or made.endswith(" keep them running: again --keep")
    assert len(found) == len(lines)
    assert all(line.startswith(part) for line, part in zip(found, lines, strict=True))


def test_where_to_look(tmp_path: Path) -> None:
    running = stack(tmp_path)
    page = f"{running.airflow.login.url}/aqueduct/dags/wine_quality/runs/one"
    text = tour.where_to_look(running, tmp_path / "demo.env", page=page)
    for part in (running.airflow.login.password, page, "quickstart.py", "demo.env"):
        assert part in text
    assert "quickstart.py" not in tour.where_to_look(running, tmp_path / "demo.env")


def test_the_command_is_named_as_a_shell_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    command = programs / "aqueduct-airflow"
    command.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def last_words() -> str:
        return tour.where_to_look(stack(tmp_path), tmp_path / "demo.env").splitlines()[-2].strip()

    assert last_words() == ".venv/bin/aqueduct-airflow flows"
    monkeypatch.chdir(programs)
    monkeypatch.setenv("PATH", str(programs))
    assert last_words() == "aqueduct-airflow flows"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("PATH", "")
    assert last_words() == f"{command} flows"


def test_the_page_of_the_newest_run_is_where_to_look() -> None:
    with FakeAirflow() as fake:
        login = Login(fake.url, fake.user, fake.password)
        assert tour.run_page(login) == f"{fake.url}/aqueduct/"
        fake.add_run(tour.FLOW, "old")
        fake.add_run(tour.FLOW, "manual__a+b")
        page = f"{fake.url}/aqueduct/dags/wine_quality/runs/manual__a%2Bb"
        assert tour.run_page(login) == page


def test_steps_are_lines_with_their_times(capsys: pytest.CaptureFixture[str]) -> None:
    steps = tour.Steps()
    steps.begin("an S3 server")
    steps.begin("[Airflow]")
    steps.end()
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ... ")[0] for line in lines] == ["Starting an S3 server", "Starting [Airflow]"]
