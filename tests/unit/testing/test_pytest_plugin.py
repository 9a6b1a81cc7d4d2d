"""The pytest plugin, as users' tests use it: each of these runs a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.support.user_projects import ROOT

MODULE = "aqueduct_provider.testing.pytest_plugin"
FLOWS = """
import pandas
import aqueduct_provider.sdk as aq

@aq.op(requirements=["pandas"], outputs=["table"])
def rows(count):
    print(f"{count} rows")
    if count > 4:
        raise ValueError("too many")
    return pandas.DataFrame({"n": range(count), "half": [n / 2 for n in range(count)]})

@aq.metric(requirements=[], outputs=["size"])
def size(table):
    return len(table)

@aq.check(requirements=[], outputs=["small"])
def small(size):
    return size < 3

def publish(client):
    table = rows.lazy(client.create_param("count", 3))
    small.lazy(size.lazy(table))
    return client.publish_flow("numbers", artifacts=[table])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "flows.py").write_text(FLOWS)
    return tmp_path


def pytest_of(project: Path, test: str, *options: str, passes: bool = True) -> str:
    """What pytest prints for a test of a project."""
    (project / "test_flows.py").write_text("import flows\nimport aqueduct_provider.sdk as aq\n" + test)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(project)])}
    # A checkout may be installed from before the plugin was there.
    known = [] if entry_points(group="pytest11", name="aqueduct") else ["-p", MODULE]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *known, *options]
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is passes, done.stdout + done.stderr
    return done.stdout


def test_a_flow_runs_without_airflow_and_network(project: Path) -> None:
    shown = pytest_of(
        project,
        """
def test_published(aqueduct_client, assert_flow, monkeypatch):
    import socket
    monkeypatch.setattr(socket.socket, "connect", None)
    run = assert_flow(flows.publish(aqueduct_client)).runs(parameters={"count": 4})
    assert run.output("size") == 4
    assert run.output("small") is False
    assert list(run.output("table")["half"]) == [0, 0.5, 1, 1.5]
    assert run.printed("rows") == "4 rows\\n"
    assert run.outcome.spec.flow.name == "numbers"

def test_artifacts(assert_flow):
    assert assert_flow(flows.size.lazy(flows.rows.lazy(2))).runs().output("size") == 2
    table = flows.rows.lazy(1)
    both = [table, flows.size.lazy(table)]
    assert assert_flow(both).runs().outcome.status == aq.ExecutionStatus.SUCCEEDED
""",
    )
    assert "2 passed" in shown


def test_what_failed_is_shown_and_ends_in_the_users_line(project: Path) -> None:
    shown = pytest_of(
        project,
        """
def test_published(aqueduct_client, assert_flow):
    assert_flow(flows.publish(aqueduct_client)).runs(parameters={"count": 5})
""",
        passes=False,
    )
    assert "AssertionError: The flow 'numbers' failed." in shown
    assert "'rows': Error in function: ValueError: too many" in shown or "ValueError: too many" in shown
    assert "It printed:\nE   5 rows" in shown
    assert "flow_assertions.py" not in shown
    assert "test_flows.py:5: in test_published" in shown


def test_a_mistake_is_found_when_it_is_published(project: Path) -> None:
    shown = pytest_of(
        project,
        """
def test_published(aqueduct_client):
    aqueduct_client.publish_flow("x", artifacts=[flows.rows.lazy(2)], schedule="61 * * * *")
""",
        passes=False,
    )
    assert "AuthoringError: The schedule '61 * * * *' is" in shown


def test_the_client_has_nothing_of_the_users(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUEDUCT_BUCKET", "production")
    (project / "config.toml").write_text("[store]\nbucket = 'production'\n")
    monkeypatch.setenv("AQUEDUCT_CONFIG", str(project / "config.toml"))
    pytest_of(
        project,
        """
def test_client(aqueduct_client, tmp_path):
    assert aqueduct_client.list_resources() == {}
    assert "production" not in aqueduct_client._session.store.url("x")
    demo = aqueduct_client.resource("Demo")
    assert len(demo.sql("SELECT 1 AS a").get()) == 1
    aqueduct_client.connect_resource("cluster", "Airflow", {"host": "no.such.host", "token": "t"})
""",
    )


def test_snapshots(project: Path) -> None:
    test = """
def test_table(aqueduct_client, assert_flow):
    run = assert_flow(flows.publish(aqueduct_client)).runs()
    assert run.matches_snapshot("table") is run
"""
    assert "'table' has no snapshot at " in pytest_of(project, test, passes=False)
    pytest_of(project, test, "--aqueduct-update-snapshots")
    snapshot = project / "__snapshots__" / "test_flows" / "test_table" / "table.csv"
    assert snapshot.read_text() == ",n,half\nint64,int64,float64\n0,0,0\n1,1,0.5\n2,2,1\n"
    pytest_of(project, test)
    snapshot.write_text(snapshot.read_text().replace("0.5", "0.6"))
    shown = pytest_of(project, test, passes=False)
    assert "E   -1,1,0.6\nE   +1,1,0.5\n" in shown


@pytest.mark.slow
def test_isolated(project: Path) -> None:
    (project / "flows.py").write_text(
        "import aqueduct_provider.sdk as aq\n"
        "@aq.op(requirements=[], outputs=['where'])\n"
        "def where():\n    import sys\n    return sys.prefix\n"
    )
    test = """
import sys
def test_where(assert_flow):
    assert (assert_flow(flows.where.lazy()).runs().output("where") == sys.prefix) is {same}
"""
    pytest_of(project, test.format(same=True))
    pytest_of(project, test.format(same=False), "--aqueduct-isolated")


def test_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import " + MODULE + "; "
        "print(sorted(name for name in set(sys.modules) - before if not name.startswith('importlib')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(["aqueduct_provider", "aqueduct_provider.testing", MODULE])


def test_it_is_an_entry_point() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'[project.entry-points.pytest11]\naqueduct = "{MODULE}"\n' in text


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("runs(parameters={'count': 'a'})", "Error"),
        ("runs(parameters={'typo': 1})", "Error"),
        ("runs().output('typo')", "NotFound"),
    ],
)
def test_mistakes_end_in_the_users_line(project: Path, call: str, error: str) -> None:
    shown = pytest_of(
        project,
        f"\ndef test_it(aqueduct_client, assert_flow):\n"
        f"    assert_flow(flows.publish(aqueduct_client)).{call}\n",
        passes=False,
    )
    assert error in shown
    places = [line for line in shown.splitlines() if ": in " in line]
    assert places == ["test_flows.py:5: in test_it"]


def test_methods_of_one_name_have_folders_of_their_own(project: Path) -> None:
    test = """
class TestA:
    def test_it(self, assert_flow): assert_flow(flows.rows.lazy(1)).runs().matches_snapshot("table")
class TestB:
    def test_it(self, assert_flow): assert_flow(flows.rows.lazy(2)).runs().matches_snapshot("table")
"""
    pytest_of(project, test, "--aqueduct-update-snapshots")
    pytest_of(project, test)
