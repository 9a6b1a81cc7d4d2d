from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest

from aqueduct_provider.compat import AIRFLOW_HAS_PAGES, AIRFLOW_V_3_0_PLUS
from aqueduct_provider.get_provider_info import get_provider_info
from aqueduct_provider.ui import access
from aqueduct_provider.ui.plugin import AqueductPlugin

# Airflow 2.11's webserver imports what its libraries deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

only_3 = pytest.mark.skipif(
    not (AIRFLOW_V_3_0_PLUS and AIRFLOW_HAS_PAGES), reason="Airflow 3.1.1 and newer show apps"
)


def test_airflow_finds_it() -> None:
    (found,) = entry_points(group="airflow.plugins", name="aqueduct")
    assert found.load() is AqueductPlugin
    (listed,) = get_provider_info()["plugins"]
    assert listed["plugin-class"] == found.value.replace(":", ".")


@only_3
def test_the_app_and_its_tabs() -> None:
    plugin = AqueductPlugin()
    (app,) = plugin.fastapi_apps
    assert app["url_prefix"] == "/aqueduct"
    assert {view["destination"] for view in plugin.external_views} == {
        "nav",
        "dag",
        "dag_run",
        "task_instance",
    }
    # Behind a prefix, a leading slash leads elsewhere.
    assert not [view for view in plugin.external_views if view["href"].startswith("/")]
    assert len({view["url_route"] for view in plugin.external_views}) == len(plugin.external_views)
    assert plugin.flask_blueprints == plugin.appbuilder_menu_items == []


@pytest.mark.skipif(AIRFLOW_V_3_0_PLUS, reason="Airflow 2.11 has views of Flask")
def test_the_views_of_airflow_2() -> None:
    plugin = AqueductPlugin()
    (blueprint,) = plugin.flask_blueprints
    assert blueprint.url_prefix == "/aqueduct"
    assert plugin.fastapi_apps == plugin.external_views == []


@pytest.mark.skipif(AIRFLOW_V_3_0_PLUS, reason="Airflow 2.11 has a menu")
@pytest.mark.parametrize(
    ("prefix", "address"), [("", "/aqueduct/"), ("/some/prefix", "/some/prefix/aqueduct/")]
)
def test_the_entry_in_the_menu_of_airflow_2_leads_to_all_flows(prefix: str, address: str) -> None:
    from flask import Flask
    from flask_appbuilder.menu import MenuItem

    plugin = AqueductPlugin()
    (blueprint,), (item,) = plugin.flask_blueprints, plugin.appbuilder_menu_items
    app = Flask("above")
    app.register_blueprint(blueprint)
    with app.test_request_context("/home", environ_overrides={"SCRIPT_NAME": prefix}):
        assert MenuItem(**item).get_url() == address


@pytest.mark.skipif(AIRFLOW_HAS_PAGES, reason="only Airflow 3.0 and 3.1.0 have no place for pages")
def test_an_airflow_without_a_place_for_pages() -> None:
    plugin = AqueductPlugin()
    assert plugin.fastapi_apps == plugin.external_views == plugin.flask_blueprints == []


@pytest.mark.skipif(not AIRFLOW_HAS_PAGES, reason="there nothing is mounted anyway")
def test_nothing_is_mounted_where_protection_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    places: dict[str, Any] = {**access._PLACES, "DagDetails": "airflow.moved_elsewhere"}
    monkeypatch.setattr(access, "_PLACES", places)
    plugin = AqueductPlugin()
    assert plugin.fastapi_apps == plugin.external_views == []
    assert plugin.flask_blueprints == plugin.appbuilder_menu_items == []
    assert caplog.text.count("Aqueduct's pages are off: Airflow") == 1
    assert "airflow.moved_elsewhere.DagDetails" in caplog.text


@pytest.mark.skipif(not AIRFLOW_HAS_PAGES, reason="there nothing is mounted anyway")
@pytest.mark.parametrize(("value", "log"), [("False", ""), ("perhaps", "it must be True or False")])
def test_pages_can_be_switched_off(
    value: str, log: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__PAGES", value)
    plugin = AqueductPlugin()
    assert plugin.fastapi_apps == plugin.external_views == []
    assert plugin.flask_blueprints == plugin.appbuilder_menu_items == []
    assert log in caplog.text
    assert len(caplog.records) == (1 if log else 0)


def test_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, airflow.plugins_manager; before = set(sys.modules);"
        "from aqueduct_provider.ui.plugin import AqueductPlugin; AqueductPlugin();"
        "new = set(sys.modules) - before; print(*new)"
    )
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert "aqueduct_provider.ui.plugin" in loaded
    assert not [
        name
        for name in loaded
        if name.startswith(
            ("aqueduct_provider.sdk", "fastapi", "boto", "jinja2", "flask", "pydantic", "sqlalchemy")
        )
    ]
