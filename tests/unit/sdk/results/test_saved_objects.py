from __future__ import annotations

from functools import partial
from pathlib import Path

from aqueduct_provider.sdk.publishing.compose import FlowRequest, compose
from aqueduct_provider.sdk.resources.profile import Profile, ResourceProfile
from aqueduct_provider.sdk.results.saved_objects import SavedObject, saved_objects
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.deployment import Deployment
from tests.support.node_graphs import STORE, extract, param, save


def spec() -> WorkflowSpec:
    table = extract("q")
    save(table, table="shop.sales", update_mode="append")
    save(table, param("name", "today"), table="", update_mode="replace", connection_id="other")
    place = {"connector": "MongoDB", "connection_id": "wh", "collection": "orders", "update_mode": "fail"}
    save(table).place = place
    save(table).place = {"connector": "S3", "connection_id": None, "filepath": "a.csv", "format": "CSV"}
    return compose(FlowRequest("flow", [table]), STORE).spec


def test_what_a_flow_saves_by_resource(tmp_path: Path) -> None:
    profile = Profile.load(tmp_path / "config.toml", {})
    for name, service in (("cluster", "Airflow"), ("warehouse", "Postgres")):
        profile.save_resource(ResourceProfile(name, service, {"host": "h", "connection_id": "wh"}))
    saved = partial(SavedObject, operator_name="save to warehouse")
    assert saved_objects(spec(), profile) == {
        "warehouse": [
            saved(
                "shop.sales",
                resource_name="warehouse",
                service="Postgres",
                update_mode="append",
                asset="aqueduct-data://wh/shop.sales",
            )
        ],
        # Which table it is, and so which asset, is only known in a run.
        "other": [saved("{name}", resource_name="other", service="Postgres", update_mode="replace")],
        # A MongoDB is connected under no name here.
        "wh": [
            saved(
                "orders",
                resource_name="wh",
                service="MongoDB",
                update_mode="fail",
                asset="aqueduct-data://wh/orders",
            )
        ],
        "artifact store": [
            saved(
                "a.csv",
                resource_name="artifact store",
                service="S3",
                update_mode="replace",
                asset="aqueduct-data://aqueduct_default/a.csv",
            )
        ],
    }


def test_of_a_published_flow(made: Deployment) -> None:
    demo = made.client.resource("Demo")
    tips = demo.sql("SELECT * FROM tips")
    demo.save(tips, "copy", "replace")
    flow = made.publish("tips", [tips])
    found = flow.list_saved_objects()
    (saved,) = found["Demo"]
    assert (saved.name, saved.service, saved.update_mode) == ("copy", "SQLite", "replace")
    # As in the original: by the resource itself, too, and nothing where there is nothing.
    assert found[demo] == found["Demo"]
    assert found["elsewhere"] == []
    assert list(found) == ["Demo"]
    assert made.publish().list_saved_objects() == {}
