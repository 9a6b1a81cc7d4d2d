"""What Airflow shows against what was published: states, since when, why, and with how many requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk.enums import FlowState
from aqueduct_provider.sdk.flow import Flow
from aqueduct_provider.sdk.publishing.flow_names import flow_id_of
from aqueduct_provider.sdk.publishing.flow_record import FlowRecord, PublishedVersion
from aqueduct_provider.sdk.session import Session
from aqueduct_provider.testing import FakeAirflow

NOON = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)


@pytest.fixture(params=[3, 2], ids=["airflow3", "airflow2"])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with FakeAirflow(request.param) as fake:
        fake.all_admins = True
        yield fake


@pytest.fixture
def client(fake: FakeAirflow, tmp_path: Path) -> aq.Client:
    """A client that knows two Airflows, of which one does not answer."""
    path = tmp_path / "config.toml"
    login = f'username = "{fake.user}"\npassword = "{fake.password}"'
    path.write_text(
        f'[resources.cluster]\nservice = "Airflow"\nhost = "{fake.url}"\n{login}\n'
        f'[resources.away]\nservice = "Airflow"\nhost = "127.0.0.1:1"\n{login}\n'
    )
    path.chmod(0o600)
    return aq.Client(folder=str(tmp_path / "store"), config_path=path)


def session_of(client: aq.Client) -> Session:
    return client._session


def versions(count: int) -> tuple[PublishedVersion, ...]:
    """The newest first; an hour between two of them."""
    return tuple(PublishedVersion(str(uuid4()), NOON + timedelta(hours=-number)) for number in range(count))


def published(client: aq.Client, name: str = "churn", *, count: int = 1, **changes: Any) -> FlowRecord:
    """A flow as the registry has it."""
    newest, *earlier = versions(count)
    record = FlowRecord(
        flow_id=flow_id_of(name),
        name=name,
        dag_id=name,
        version_id=newest.version_id,
        created_at=newest.created_at,
        engine="cluster",
        delivered_to=f"s3://bucket/specs/{name}.json",
        spec_sha256="0" * 64,
        earlier=tuple(earlier),
    )
    record = replace(record, **changes)
    session_of(client).registry.put(record)
    return record


def shown(fake: FakeAirflow, record: FlowRecord, place: int = 0, *, tag: bool = False, **how: Any) -> None:
    """Airflow shows a version, or none of them.

    :param tag: as DAGs of compiled specs and older releases do.
    """
    version = record.versions[place].version_id
    dag = fake.add_dag(record.dag_id, tags=["aqueduct", *([version] if tag else []), "mine"], **how)
    dag.description = "" if tag else f"About it. - v{5 - place} ({version[:8]})"


def status(client: aq.Client) -> aq.FlowStatus:
    """Of the only flow, asked for in both ways."""
    (found,) = client.status()
    record = session_of(client).registry.find(found.name)
    assert Flow(session_of(client), record).status() == found
    return found


def test_the_last_version_is_shown(fake: FakeAirflow, client: aq.Client) -> None:
    record = published(client, number=5)
    shown(fake, record, paused=True)
    assert status(client) == aq.FlowStatus(
        *("churn", "churn", "cluster", FlowState.CURRENT, record.version_id, NOON),
        airflow_version_id=record.version_id,
        stale_since=None,
        paused=True,
        version="v5 (" + record.version_id[:8] + ")",
        airflow_version="v5 (" + record.version_id[:8] + ")",
    )
    assert status(client).is_fine


@pytest.mark.parametrize("tag", [False, True])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_it_is_stale_since_the_first_version_that_airflow_lacks(
    fake: FakeAirflow, client: aq.Client, place: int, tag: bool
) -> None:
    record = published(client, count=4)
    shown(fake, record, place, tag=tag)
    found = status(client)
    assert (found.state, found.is_fine) == (FlowState.STALE, False)
    assert found.airflow_version_id == record.versions[place].version_id
    assert found.stale_since == record.versions[place - 1].created_at
    assert found.paused is False


def test_of_a_version_that_the_record_does_not_know(fake: FakeAirflow, client: aq.Client) -> None:
    published(client, count=3)
    older = str(uuid4())
    fake.add_dag("churn", tags=["aqueduct", "mine", older])
    found = status(client)
    assert (found.state, found.airflow_version_id, found.stale_since) == (FlowState.STALE, older, NOON)
    fake.dags["churn"].description = "v1 (0a1b2c3d)"
    found = status(client)
    assert (found.state, found.airflow_version_id, found.stale_since) == (FlowState.STALE, "0a1b2c3d", NOON)


@pytest.mark.parametrize("gone", [True, False])
def test_a_flow_that_airflow_does_not_show(fake: FakeAirflow, client: aq.Client, gone: bool) -> None:
    record = published(client, count=3)
    if gone:
        shown(fake, record, active=False)
    found = status(client)
    assert (found.state, found.airflow_version_id, found.stale_since) == (FlowState.MISSING, None, NOON)
    assert found.paused is None
    assert found.problem == ""


@pytest.mark.parametrize("place", ["s3://bucket/specs/churn.json", "/dags/churn.json"])
def test_a_spec_that_cannot_be_used(fake: FakeAirflow, client: aq.Client, place: str) -> None:
    published(client, delivered_to=place)
    dag = fake.add_dag("broken_spec__x", tags=["aqueduct", "broken spec"])
    dag.display_name = f"broken spec: {place if '://' in place else 'churn.json'}"
    found = status(client)
    assert found.state is FlowState.BROKEN
    assert found.problem == "The spec cannot be used; the DAG broken_spec__x shows why."
    assert found.stale_since == NOON


def test_a_file_of_a_bundle_that_cannot_be_loaded(fake: FakeAirflow, client: aq.Client) -> None:
    published(client)
    fake.import_errors = {
        "other.py": "Traceback\nKeyError: 1\n",
        "tracking/churn.json.py": "Traceback\n  x\nSpecError: churn.json has 1 problem\n",
    }
    found = status(client)
    assert found.state is FlowState.BROKEN
    assert found.problem == "churn.json.py cannot be imported: SpecError: churn.json has 1 problem"


def test_a_loader_that_cannot_be_loaded(fake: FakeAirflow, client: aq.Client) -> None:
    shown(fake, published(client))
    fake.dags["churn"].import_errors = True
    fake.import_errors = {"/dags/aqueduct_dags.py": "Traceback\nNameError: x"}
    found = status(client)
    assert found.state is FlowState.BROKEN
    assert found.problem == "aqueduct_dags.py cannot be imported: NameError: x"
    assert found.stale_since is None, "it is the last version that does not work"


def test_a_store_that_airflow_cannot_read(fake: FakeAirflow, client: aq.Client) -> None:
    record = published(client, count=2)
    shown(fake, record, 1)
    dag = fake.add_dag("broken_spec__aqueduct_store_c", tags=["aqueduct", "broken spec"])
    dag.display_name = "no specs from the store of c"
    found = status(client)
    assert found.state is FlowState.STALE
    assert found.problem == (
        "Airflow has no specs from the store of c; the DAG broken_spec__aqueduct_store_c shows why."
    )


def test_import_errors_may_be_hidden(fake: FakeAirflow, client: aq.Client) -> None:
    published(client)
    fake.forbid("GET", "importErrors")
    assert status(client).state is FlowState.MISSING


def test_an_airflow_that_is_away_hides_no_other(fake: FakeAirflow, client: aq.Client) -> None:
    shown(fake, published(client))
    published(client, "sales", engine="away")
    published(client, "stock", engine="nowhere")
    churn, sales, stock = client.status()
    assert churn.state is FlowState.CURRENT
    for one, reason in ((sales, "127.0.0.1:1"), (stock, "No resource is named 'nowhere'")):
        assert (one.state, one.airflow_version_id, one.stale_since) == (FlowState.UNREACHABLE, None, None)
        assert reason in one.problem
        assert not one.is_fine


def test_a_flow_that_was_deleted(fake: FakeAirflow, client: aq.Client) -> None:
    record = published(client)
    flow = Flow(session_of(client), record)
    gone = session_of(client).registry.retire(record, NOON)
    assert client.status() == []
    for one in (flow, Flow(session_of(client), gone)):
        assert (one.status().state, one.status().is_fine) == (FlowState.RETIRED, True)


def test_many_flows_cost_few_requests(fake: FakeAirflow, client: aq.Client) -> None:
    records = [published(client, f"f{number:03}", count=2) for number in range(150)]
    for record in records:
        shown(fake, record)
    assert {one.state for one in client.status()} == {FlowState.CURRENT}
    assert len([one for one in fake.calls("GET", "/dags") if "tags" in one.query]) == 2
    shown(fake, records[7], 1)
    fake.asked.clear()
    found = client.status()
    assert [one.dag_id for one in found if not one.is_fine] == ["f007"]
    assert [one.dag_id for one in found] == [record.dag_id for record in records]
    assert len(fake.calls("GET", "/api")) <= 5
