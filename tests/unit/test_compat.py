from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aqueduct_provider import compat
from aqueduct_provider.compat import (
    AIRFLOW_V_3_0_PLUS,
    ANY_ITEMS,
    CronTriggerTimetable,
    bundle_version,
    dag_run_state,
    succeeded_tasks,
)
from aqueduct_provider.errors import AirflowImportError

ROOT = Path(__file__).parents[2]
ONLY_3 = {"BaseDagBundle", "get_bundle_tracking_dir"}


@pytest.mark.parametrize("name", [name for name in compat.PLACES if AIRFLOW_V_3_0_PLUS or name not in ONLY_3])
def test_this_airflow_has_each_name_without_a_warning(name: str) -> None:
    assert getattr(compat, name) is not None


@pytest.mark.skipif(AIRFLOW_V_3_0_PLUS, reason="Airflow 3 has all of them")
@pytest.mark.parametrize("name", sorted(ONLY_3))
def test_a_name_that_this_airflow_does_not_have(name: str) -> None:
    with pytest.raises(AirflowImportError, match=rf"Airflow 2\.11\.\d+ has {name} nowhere that"):
        getattr(compat, name)


def test_a_name_that_is_not_exported() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Dag'"):
        compat.Dag  # noqa: B018


# --- without a usable Airflow


def error_of(folder: Path, code: str, **files: str) -> str:
    """The last line of what a new Python writes to stderr when it runs ``code`` and fails.

    :param files: the source of a package ``airflow`` that hides the installed one: ``__init__``, ``sdk``.
    """
    package = folder / "airflow"
    package.mkdir()
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "During handling of the above exception" not in done.stderr
    return done.stderr.strip().splitlines()[-1].removeprefix("aqueduct_provider.errors.")


UNFIT = "AirflowImportError: This part of airflow-provider-aqueduct makes and runs DAGs, so it needs Apache"

ANY_DOOR = [
    "from aqueduct_provider import DagFactory",
    "from aqueduct_provider import AqueductOperator",
    "from aqueduct_provider import AqueductHook",
    "from aqueduct_provider.bundles import AqueductDagBundle",
    "import aqueduct_provider.factory.dag_factory",
    "import aqueduct_provider.hooks.connections",
    "import aqueduct_provider.operators.prune_callback",
    "from aqueduct_provider import config; config.isolation()",
]


@pytest.mark.parametrize("code", ANY_DOOR)
def test_without_airflow_every_door_says_which_command_helps(tmp_path: Path, code: str) -> None:
    said = error_of(tmp_path, f"import sys; sys.modules['airflow'] = None; {code}", unused="")
    assert said.startswith(UNFIT)
    assert said.endswith(
        "this Python has none. Use the Python of your Airflow, or install both: pip install"
        ' "airflow-provider-aqueduct[airflow]". Publishing, triggering and reading flows need no Airflow.'
    )


def test_a_package_of_that_name_is_not_airflow(tmp_path: Path) -> None:
    assert "this Python has none" in error_of(tmp_path, ANY_DOOR[0], __init__="")


def test_an_airflow_that_is_too_old(tmp_path: Path) -> None:
    said = error_of(tmp_path, ANY_DOOR[0], __init__="__version__ = '2.10.5'")
    assert said.startswith(UNFIT)
    assert 'this Python has 2.10.5. Upgrade Airflow, with its constraints file: pip install "apache-' in said


@pytest.mark.parametrize(
    "files",
    [
        {"__init__": "import no_such_module"},
        {"__init__": "__version__ = '3.9.0'", "sdk": "import no_such_module"},
    ],
)
def test_an_airflow_that_lacks_something_itself(tmp_path: Path, files: dict[str, str]) -> None:
    said = error_of(tmp_path, ANY_DOOR[0], **files)
    assert said.startswith(
        "AirflowImportError: This Python has an Airflow that cannot be imported: No module named 'no_such_mod"
    )


def test_an_airflow_that_is_newer_than_this_package(tmp_path: Path) -> None:
    said = error_of(tmp_path, ANY_DOOR[0], __init__="__version__ = '9.0.0'", sdk="Dag = 1")
    assert said == (
        "AirflowImportError: Airflow 9.0.0 has DAG nowhere that airflow-provider-aqueduct looks for it"
        " (airflow.sdk, airflow.models.dag). Install a release for this Airflow: pip install --upgrade"
        " airflow-provider-aqueduct."
    )


# --- what differs


def test_a_timetable_of_cron_and_time_zone() -> None:
    timetable = CronTriggerTimetable("0 6 * * *", timezone="Europe/Berlin")
    timetable.validate()
    assert timetable.can_be_scheduled


def test_any_items_accept_any_json_value() -> None:
    import jsonschema

    jsonschema.validate([1, "a", None, True, {}, []], {"type": "array", "items": ANY_ITEMS})


@pytest.mark.skipif(not AIRFLOW_V_3_0_PLUS, reason="Airflow 3 asks its API server")
def test_the_state_of_a_run_on_airflow_3() -> None:
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
    from airflow.sdk.execution_time.comms import ErrorResponse

    def get_dagrun_state(dag_id: str, run_id: str) -> Any:
        if run_id.isdigit():
            raise AirflowRuntimeError(
                ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": int(run_id)})
            )
        return SimpleNamespace(value=f"{dag_id} {run_id}")

    ti = SimpleNamespace(dag_id="churn", get_dagrun_state=get_dagrun_state)
    assert dag_run_state(ti, "ran") == "churn ran"
    assert dag_run_state(ti, "404") is None
    with pytest.raises(AirflowRuntimeError):
        dag_run_state(ti, "500")


@pytest.mark.skipif(AIRFLOW_V_3_0_PLUS, reason="Airflow 2 asks its database")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_state_of_a_run_on_airflow_2(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.models import DagRun
    from airflow.utils.state import DagRunState

    def find(dag_id: str, run_id: str) -> list[Any]:
        return [SimpleNamespace(state=DagRunState.SUCCESS)] if (dag_id, run_id) == ("churn", "ran") else []

    monkeypatch.setattr(DagRun, "find", find)
    ti = SimpleNamespace(dag_id="churn")
    assert dag_run_state(ti, "ran") == "success"
    assert dag_run_state(ti, "never") is None


@pytest.mark.skipif(not AIRFLOW_V_3_0_PLUS, reason="Airflow 2 asks its database")
def test_tasks_that_succeeded_on_airflow_3() -> None:
    from airflow.sdk.api.datamodels._generated import TaskInstanceState

    def get_task_states(dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
        assert (dag_id, task_ids, run_ids) == ("churn", ["a", "b", "c"], ["ran"])
        return {"ran": {"a": "success", "b": TaskInstanceState.SUCCESS, "c": None}}

    ti = SimpleNamespace(dag_id="churn", get_task_states=get_task_states)
    assert succeeded_tasks(ti, "ran", {"c", "b", "a"}) == {"a", "b"}


@pytest.mark.skipif(AIRFLOW_V_3_0_PLUS, reason="Airflow 3 asks its server")
def test_tasks_that_succeeded_on_airflow_2() -> None:
    from airflow.utils.state import TaskInstanceState

    states = {"a": TaskInstanceState.SUCCESS, "b": TaskInstanceState.FAILED, "c": None, "d": "success"}
    tasks = [SimpleNamespace(task_id=task_id, state=state) for task_id, state in states.items()]
    ti = SimpleNamespace(get_dagrun=lambda: SimpleNamespace(get_task_instances=lambda: tasks))
    assert succeeded_tasks(ti, "ran", ["a", "b", "c"]) == {"a"}


def test_the_version_of_a_bundle_as_this_airflow_wants_it() -> None:
    found = bundle_version("abc")
    assert getattr(found, "version", found) == "abc"
