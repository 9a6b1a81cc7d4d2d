"""Versions that are taken to another store and another Airflow, without their source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, DigestMismatch, NotFound
from aqueduct_provider.sdk.publishing.flow_copy import copy_of
from aqueduct_provider.sdk.publishing.republish import Changes
from aqueduct_provider.sdk.versions.promotion import plan_of_script, plan_publication, refuse_same_store
from aqueduct_provider.storage.layout import published
from tests.support.deployment import Deployment, deployment


@pytest.fixture
def production(
    s3_server: str, s3_client: Any, credentials_file: Path, tmp_path: Path
) -> Iterator[Deployment]:
    """A second Airflow with a bucket of its own."""
    bucket = f"{tmp_path.name.replace('_', '-').lower()[-40:].strip('-')}-production"
    s3_client.create_bucket(Bucket=bucket)
    folder = tmp_path / "production"
    folder.mkdir()
    with deployment(bucket, s3_server, credentials_file, folder) as found:
        yield found


def test_a_promoted_flow_runs_there(made: Deployment, production: Deployment) -> None:
    made.publish(message="First.")
    flow = made.publish(artifacts=made.author(rows=5))
    there = flow.promote(production.client, version=1)
    run = production.run(rows=4)
    assert run.artifact("total").get() == 6
    assert there.status().state == aq.FlowState.CURRENT
    (version,) = there.versions()
    assert (version.number, version.message) == (1, "First.")
    assert version.source("features") == flow.version(1).source("features")
    assert version.id != flow.version(1).id
    # What was published here is as it was.
    assert flow.version().number == 2


def test_defaults_and_connections_of_the_target(made: Deployment, production: Deployment) -> None:
    config = {"database": str(made.folder / "shop.db"), "connection_id": "shop"}
    made.client.connect_resource("shop", "SQLite", config)
    table = made.client.resource("shop").sql("SELECT 1 AS a", lazy=True)
    flow = made.publish(artifacts=[table, *made.author(rows=3)], engine="cluster")
    there = flow.promote(production.client, connections={"shop": "shop_there"}, parameters={"rows": 9})
    extract = next(one for one in there.spec.operators if one.type == "extract")
    assert extract.source.connection_id == "shop_there"
    assert json.loads(there.spec.parameter("rows").default.model_dump_json()) == {"value": 9}
    found = there.diff(1)
    assert found.is_empty
    with pytest.raises(AuthoringError, match=r"has no parameter 'row'.*rows"):
        flow.promote(production.client, parameters={"row": 9})


def test_a_plan_says_what_would_change_and_changes_nothing(made: Deployment, production: Deployment) -> None:
    flow = made.publish()
    copy = copy_of(flow.session.registry, flow.record)
    target = production.session
    plan = plan_publication(target, copy, target.engine(None))
    assert plan.diff() is None
    assert not target.store.exists(published("churn"))
    record = plan.publish()
    assert record.name == "churn"
    same = plan_publication(target, copy, target.engine(None)).diff()
    assert same is not None
    assert same.is_empty
    other = plan_publication(target, copy, target.engine(None), Changes(defaults={"rows": 8})).diff()
    assert other is not None
    assert [(one.name, one.before["default"], one.after["default"]) for one in other.parameters] == [
        ("rows", 3, 8)
    ]


def test_a_changed_object_is_not_promoted(made: Deployment, production: Deployment) -> None:
    flow = made.publish()
    key = next(key for key in made.store.list("functions/"))
    made.store.put(key, b"changed")
    with pytest.raises(DigestMismatch, match=key):
        flow.promote(production.client)
    assert list(production.store.list("")) == []


def test_one_store_has_one_airflow(made: Deployment) -> None:
    flow = made.publish()
    with pytest.raises(AuthoringError, match="Both sides have the same artifact store"):
        flow.promote(made.client)
    with pytest.raises(AuthoringError, match="Both sides have the same artifact store"):
        refuse_same_store(made.session, made.session)


def test_what_it_runs_after_must_be_there(made: Deployment, production: Deployment) -> None:
    made.publish("first")
    flow = made.publish("second", source_flow="first")
    with pytest.raises(AuthoringError, match=r"'second' runs after a flow that is missing there.*'first'"):
        flow.promote(production.client)
    made.client.flow("first").promote(production.client)
    assert flow.promote(production.client).name() == "second"


def test_an_airflow_without_its_python(made: Deployment, production: Deployment) -> None:
    flow = made.publish()
    login = {"host": production.fake.url, "username": production.fake.user}
    fields = {**login, "password": production.fake.password, "python_versions": "3.8"}
    production.client.connect_resource("cluster", "Airflow", fields)
    with pytest.raises(AuthoringError, match=r"cannot run on 'cluster', which has 3\.8"):
        flow.promote(production.client)


def test_an_export_is_published_elsewhere(made: Deployment, production: Deployment, tmp_path: Path) -> None:
    flow, folder = made.publish(), tmp_path / "churn"
    flow.export(folder)
    assert "rows must not be negative" in (folder / "source/features/features.py").read_text()
    there = production.client.import_flow(folder, parameters={"rows": 2}, message="Reviewed.")
    assert there.version().message == "Reviewed."
    assert production.run().artifact("total").get() == 1
    with pytest.raises(NotFound, match=r"it has no flow\.json"):
        production.client.import_flow(tmp_path)


def test_a_script_is_compared_with_what_is_published(made: Deployment) -> None:
    flow = made.publish()
    copy = copy_of(flow.session.registry, flow.record)
    session = made.session
    composition = plan_publication(session, copy, session.engine(None)).composition
    diff = plan_of_script(session, composition).diff()
    assert diff is not None
    assert diff.is_empty
    with pytest.raises(ValueError, match="not known where"):
        plan_of_script(session, composition).publish()
