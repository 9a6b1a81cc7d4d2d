"""The plugin by which Airflow finds the pages.

Airflow makes it in every process. Which pages there are is decided when Airflow asks for them, which only the
API server does (on 2.11: the webserver).
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from aqueduct_provider import config
from aqueduct_provider.compat import AIRFLOW_HAS_PAGES, AIRFLOW_V_3_0_PLUS, AirflowPlugin
from aqueduct_provider.errors import ConfigError

log = logging.getLogger(__name__)

_DAG = "aqueduct/dags/{DAG_ID}"
_RUN = f"{_DAG}/runs/{{RUN_ID}}"
# Without a leading slash: Airflow's UI may be below a prefix.
_TABS = {
    "nav": ("aqueduct/", "aqueduct"),
    "dag": (f"{_DAG}?frame=1", "aqueduct-flow"),
    "dag_run": (f"{_RUN}?frame=1", "aqueduct-run"),
    # Airflow leaves {MAP_INDEX} as it is where a task is not mapped, and tasks of flows never are.
    "task_instance": (f"{_RUN}/tasks/{{TASK_ID}}?frame=1", "aqueduct-task"),
}


class AqueductPlugin(AirflowPlugin):
    """Flows, runs and artifacts as pages of Airflow's UI."""

    name = "aqueduct"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """The app of Airflow 3."""
        if not AIRFLOW_V_3_0_PLUS or not self._is_served:
            return []
        from aqueduct_provider.ui.fastapi_app import LazyApp
        from aqueduct_provider.ui.html import MOUNT

        return [{"app": LazyApp(), "url_prefix": MOUNT, "name": "Aqueduct"}]

    @cached_property
    def external_views(self) -> list[dict[str, Any]]:
        """The tabs in the UI of Airflow 3."""
        if not self.fastapi_apps:
            return []
        return [
            {"name": "Aqueduct", "href": href, "destination": destination, "url_route": route}
            for destination, (href, route) in _TABS.items()
        ]

    @cached_property
    def flask_blueprints(self) -> list[Any]:
        """The views of Airflow 2.11."""
        if AIRFLOW_V_3_0_PLUS or not self._is_served:
            return []
        from aqueduct_provider.ui.flask_views import make_blueprint

        return [make_blueprint()]

    @cached_property
    def appbuilder_menu_items(self) -> list[dict[str, Any]]:
        """The entry in the menu of Airflow 2.11."""
        if not self.flask_blueprints:
            return []
        # The name of the view, not its path: Airflow may be below a prefix.
        return [{"name": "Aqueduct", "href": "aqueduct.page_0"}]

    @cached_property
    def _is_served(self) -> bool:
        """Check that the pages are wanted, and that Airflow has a place for them and what protects them."""
        try:
            return AIRFLOW_HAS_PAGES and config.pages() and self._is_protected
        except ConfigError as error:
            log.error("Aqueduct's pages are off: %s", error)
            return False

    @property
    def _is_protected(self) -> bool:
        """Check that Airflow has what protects the pages; where it lacks something, they are not there."""
        from aqueduct_provider.ui import access

        lacks = access.missing()
        if lacks:
            log.error("%s", lacks)
        return not lacks
