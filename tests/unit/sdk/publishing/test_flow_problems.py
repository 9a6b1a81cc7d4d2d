"""All problems of a flow are refused at once, each with the line of the user's that it comes from."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, PackagingError
from aqueduct_provider.sdk.publishing.flow_problems import FlowProblems
from tests.support.deployment import Deployment
from tests.support.user_projects import ROOT

HERE = Path(__file__)
LOCK = threading.Lock()


@aq.op(requirements=[])
def locked() -> bool:
    return LOCK.locked()


@aq.op(requirements=["pandas==2 ; --hash"[:9]])
def rows(count: int) -> int:
    return count


@aq.metric(requirements=[], retries=3)
def size(rows: int) -> int:
    return rows


class Failure(Exception):
    def __init__(self, what: str, why: str) -> None:
        super().__init__(what)


FAILURE = Failure("a", "b")


@aq.op(requirements=[])
def unloadable() -> str:
    return str(FAILURE)


def line() -> int:
    frame = inspect.currentframe()
    assert frame
    assert frame.f_back
    return frame.f_back.f_lineno


def refused(made: Deployment, artifacts: list[aq.Artifact], **options: object) -> list[str]:
    """The problems of a flow, one after the other; places are relative to the scratch space."""
    with pytest.raises(AuthoringError) as caught:
        made.publish("churn", artifacts, **options)
    assert list(made.store.list("published/")) == []
    head, *problems = str(caught.value).split("\n- ")
    assert head == "The flow 'churn' cannot be published:"
    return problems


def test_all_problems_at_once(made: Deployment) -> None:
    first = locked.lazy(); number = line()  # fmt: skip  # noqa: E702
    secret = made.client.create_param("password", "hunter2-long-enough")
    table = rows.lazy(secret)
    bad = unloadable.lazy()
    problems = refused(
        made,
        [first, table, bad],
        checks=[table],
        schedule="61 * * * *",
        k_latest_runs=0,
        owner="x" * 201,
        description="See postgres://ada:hunter2-long@db/shop",
    )
    starts = [
        "k_latest_runs=0: ",
        "publish_flow: owner must be text of at most 200 characters",
        "The schedule '61 * * * *' is ",
        "The flow's description holds ",
        "checks=[...] takes the results of checks, but 'rows artifact' is the output of the operator 'rows'",
        "The default of the parameter 'password' is a secret by its name",
        "'locked' cannot be pickled",
        "'unloadable' can be pickled, but a worker could not load it: TypeError: ",
    ]
    assert [problem[: len(start)] for problem, start in zip(problems, starts, strict=True)] == starts
    places = [problem.partition("\n    at ")[2] for problem in problems]
    assert places == [*[""] * 4, *(f"{HERE}:{number + more}" for more in (2, 1, 0, 3))]
    assert "hunter2" not in "".join(problems)


def test_names_and_settings_of_operators(made: Deployment) -> None:
    same = [rows.lazy(3), rows.lazy(4)]
    for artifact in same:
        artifact.set_name("same")
    assert refused_once(made, [*same, locked.lazy()]) == [
        "'locked' cannot be pickled",
        "There are 2 artifacts named 'same' in this flow, made by the operators 'rows' and 'rows'",
    ]


def refused_once(made: Deployment, artifacts: list[aq.Artifact]) -> list[str]:
    cut = [". ", ": "]
    problems = refused(made, artifacts)
    for sign in cut:
        problems = [problem.partition(sign)[0] for problem in problems]
    return sorted(problems)


def test_one_problem_is_one_sentence_and_the_line(made: Deployment) -> None:
    artifact = locked.lazy(); number = line()  # fmt: skip  # noqa: E702
    with pytest.raises(PackagingError) as caught:
        made.publish("churn", [artifact])
    message, place = str(caught.value).split("\n  at ")
    assert message.startswith("'locked' cannot be pickled")
    assert place == f"{HERE}:{number}"


def test_an_airflow_without_this_python_is_one_of_them(made: Deployment) -> None:
    login = {"host": made.fake.url, "username": made.fake.user, "password": made.fake.password}
    made.client.connect_resource("cluster", "Airflow", {**login, "python_versions": ["3.1"]})
    problems = refused(made, [rows.lazy(3)], k_latest_runs=0)
    assert problems[0].startswith("Functions of Python ")
    assert problems[1].startswith("k_latest_runs=0")


def test_only_packages() -> None:
    problems = FlowProblems("churn")
    assert not problems
    for name in "aba":
        problems.add(PackagingError(f"{name} has\na lock"))
    assert isinstance(problems.error(), PackagingError)
    assert str(problems.error()) == (
        "The flow 'churn' cannot be published:\n- a has\n  a lock\n- b has\n  a lock"
    )
    assert problems.attempt(lambda: 3, 4) == 3
    with problems.of():
        raise AuthoringError("c")
    assert type(problems.error()) is AuthoringError


SCRIPT = """\
import threading
import aqueduct_provider.sdk as aq
lock = threading.Lock()

@aq.op(requirements=[])
def locked():
    return lock.locked()

client = aq.Client(folder="store", config_path="config.toml")
made = locked.lazy()
client.publish_flow("churn", artifacts=[made], k_latest_runs=0)
"""


def test_in_a_script_places_are_relative(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(SCRIPT)
    (tmp_path / "config.toml").write_text("")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    check = "import sys; from aqueduct_provider.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", check, "check", "flow.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("\n    at flow.py:10")
    assert 'File "' not in done.stderr
