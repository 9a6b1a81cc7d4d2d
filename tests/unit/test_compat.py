from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from aqueduct_provider.compat import (
    AIRFLOW_V_3_0_PLUS,
    ANY_ITEMS,
    CronTriggerTimetable,
    bundle_version,
    dag_run_state,
)


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


def test_the_version_of_a_bundle_as_this_airflow_wants_it() -> None:
    found = bundle_version("abc")
    assert getattr(found, "version", found) == "abc"
