"""Why Airflow does not show a flow, as far as it reports that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aqueduct_provider.errors import AirflowError
from aqueduct_provider.sdk.publishing.airflow_problems import airflow_problems
from aqueduct_provider.sdk.publishing.registry import FlowRecord
from tests.support.deployment import Deployment

LOADER = """\
Traceback (most recent call last):
  File "/dags/aqueduct_dags.py", line 1, in <module>
    from aqueduct_provider import DagFactory
  File "/site-packages/aqueduct_provider/compat.py", line 9, in _at
    raise AirflowImportError(
        message
    ) from error
aqueduct_provider.errors.AirflowImportError: Airflow 3.9.0 has no DAG. Upgrade.
"""
TYPO = """\
Traceback (most recent call last):
  File "/dags/flows.py", line 3, in <module>
    globals().update(DagFactory.dags_on(__file__))
AttributeError: type object 'DagFactory' has no attribute 'dags_on'
"""
STUB = """\
Traceback (most recent call last):
  File "/bundles/aqueduct/tracking/churn.json.py", line 4, in <module>
    globals().update(dag_of_stub(__file__, "churn.json"))
                     ^^^^^^^^^^^
aqueduct_provider.errors.SpecError: churn.json has 2 problems:
  $.operators: missing
  $.flow: missing
"""


@pytest.fixture
def record(made: Deployment) -> FlowRecord:
    """A flow that was published."""
    return made.publish().record


def told(made: Deployment, record: FlowRecord) -> tuple[str, str]:
    """What is known of the flow itself, and what concerns all flows."""
    problems = airflow_problems(made.session.airflow("cluster"))
    return problems.of(record), problems.shared


def test_nothing_is_wrong(made: Deployment, record: FlowRecord) -> None:
    assert told(made, record) == ("", "")


def test_the_error_of_a_loader_concerns_all_flows(made: Deployment, record: FlowRecord) -> None:
    made.fake.import_errors = {"/dags/other.py": "KeyError: 1", "/dags/aqueduct_dags.py": LOADER}
    assert told(made, record) == (
        "",
        "aqueduct_dags.py cannot be imported: AirflowImportError: Airflow 3.9.0 has no DAG. Upgrade.",
    )


@pytest.mark.parametrize("trace", [LOADER, TYPO])
def test_a_loader_of_another_name_is_known_by_its_trace(
    made: Deployment, record: FlowRecord, trace: str
) -> None:
    made.fake.import_errors = {"/dags/flows.py": trace}
    assert told(made, record)[1].startswith("flows.py cannot be imported: A")


def test_the_error_of_a_stub_concerns_its_own_flow_with_all_its_lines(
    made: Deployment, record: FlowRecord
) -> None:
    made.fake.import_errors = {"tracking/churn.json.py": STUB}
    said = (
        "churn.json.py cannot be imported: SpecError: churn.json has 2 problems: $.operators: missing"
        " $.flow: missing"
    )
    assert told(made, record) == (said, "")
    assert told(made, replace(record, dag_id="sales")) == ("", "")


def test_a_placeholder_shows_why_a_spec_cannot_be_used(made: Deployment, record: FlowRecord) -> None:
    dag = made.fake.add_dag("broken_spec__x", tags=["aqueduct", "broken spec"])
    dag.display_name = f"broken spec: {record.delivered_to}"
    assert told(made, record) == ("The spec cannot be used; the DAG broken_spec__x shows why.", "")


def test_a_store_that_airflow_cannot_read(made: Deployment, record: FlowRecord) -> None:
    made.fake.add_dag("broken_spec__s", tags=["broken spec"]).display_name = "no specs from the store of c"
    assert told(made, record) == (
        "",
        "Airflow has no specs from the store of c; the DAG broken_spec__s shows why.",
    )


def test_import_errors_that_the_user_may_not_see_are_none(made: Deployment, record: FlowRecord) -> None:
    made.fake.import_errors = {"/dags/aqueduct_dags.py": LOADER}
    made.fake.forbid("GET", "importErrors")
    assert told(made, record) == ("", "")


def test_an_airflow_that_does_not_answer_is_an_error(made: Deployment, record: FlowRecord) -> None:
    with made.away(), pytest.raises(AirflowError):
        told(made, record)
