"""Where Airflow does not show a flow, the client says what Airflow reports."""

from __future__ import annotations

from pathlib import Path

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import WaitTimedOut
from tests.integration.flow_place import SEEN_SECONDS, Place
from tests.integration.waiting import wait_for

REPORTED = "Airflow reports: second_loader.py cannot be imported: AttributeError: type object 'DagFactory'"
LOADER = """\
from aqueduct_provider import DagFactory  # airflow dag

globals().update(DagFactory.dags_in_stores("elsewhere"))
"""


@aq.op(requirements=[], outputs=["one"])
def one() -> int:
    return 1


@pytest.mark.usefixtures("client")
def test_the_error_of_a_loader_is_in_the_clients_own(
    place: Place, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # Where no loader of this Airflow looks.
    client = aq.Client(root_dir="elsewhere", config_path=tmp_path / "elsewhere.toml")
    login = place.airflow.login
    access = {"host": login.url, "username": login.user, "password": login.password}
    client.connect_resource("elsewhere", "Airflow", access)
    loader = place.airflow.dags / "second_loader.py"
    loader.write_text(LOADER)
    try:
        wait_for(place.client.import_errors, what="the import error", seconds=SEEN_SECONDS)
        flow = client.publish_flow("unseen", artifacts=[one()], engine="elsewhere", wait=1)
        printed = capfd.readouterr().out
        assert f"Airflow does not show it yet. The spec is delivered. {REPORTED}" in printed
        with pytest.raises(WaitTimedOut) as caught:
            flow.wait_until_deployed(timeout=1, progress=False)
        said = str(caught.value)
        assert said.startswith(
            "After 1 s Airflow does not show 'unseen', as the DAG 'unseen'. The flow was delivered to"
        )
        assert REPORTED in said
    finally:
        loader.unlink()
    wait_for(lambda: not place.client.import_errors(), what="no import error", seconds=SEEN_SECONDS)
