"""Runs of a flow by the provider's own route in Airflow, which answers with all of their facts at once.

Airflow's REST API has the value of one XCom per request. Where it does not serve our route, because its
release or that of the provider there is older, or the user may not use it, the caller reads run by run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.airflow_api.http_errors import refusal
from aqueduct_provider.spec.page_paths import page_path

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow


def flow_runs(airflow: Airflow, dag_id: str, **query: str | int) -> Any:
    """Return runs of a flow as JSON.

    :param query: ``run``: the id of the only one; or ``limit``, and ``before`` which run.
    :raises NotFound: Airflow does not serve the route, or does not know the DAG or the run.
    :raises AirflowError: the user may not read them, or Airflow does not answer.
    """
    given = [(name, str(value)) for name, value in query.items() if value != ""]
    answer = airflow.page(f"{page_path(dag_id)}/runs.json", given)
    is_json = "json" in answer.headers.get("content-type", "")
    if answer.status_code < 300 and is_json:
        try:
            return answer.json()
        except (ValueError, RecursionError):
            is_json = False
    if not is_json and answer.status_code < 500:
        # Airflow 3 answers with its start page.
        raise NotFound("Airflow does not serve the provider's pages.")
    raise refusal(answer, airflow.login.url, airflow.login.who)
