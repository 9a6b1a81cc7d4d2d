"""The only module that imports Airflow, with ``ui/access.py``, and the only one that branches on its version.

It exports one name for each thing that Airflow 2.11 and the releases of Airflow 3 keep in different places,
and looks for it there when it is first used (PEP 562). Airflow's own modules are enough for that, so no
release of another provider is needed. Without a usable Airflow, importing this module raises one sentence
that says what to do.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AirflowImportError

if TYPE_CHECKING:
    from airflow import settings as settings
    from airflow.configuration import AIRFLOW_HOME as AIRFLOW_HOME
    from airflow.dag_processing.bundles.base import BaseDagBundle as BaseDagBundle
    from airflow.dag_processing.bundles.base import get_bundle_tracking_dir as get_bundle_tracking_dir
    from airflow.exceptions import AirflowClusterPolicySkipDag as AirflowClusterPolicySkipDag
    from airflow.models.dag import DagModel as DagModel
    from airflow.models.dag import DagTag as DagTag
    from airflow.models.dagrun import DagRun as DagRun
    from airflow.models.serialized_dag import SerializedDagModel as SerializedDagModel
    from airflow.models.taskinstance import TaskInstance as TaskInstance
    from airflow.models.xcom import XComModel as XComModel
    from airflow.observability.stats import Stats as Stats
    from airflow.plugins_manager import AirflowPlugin as AirflowPlugin
    from airflow.sdk import DAG as DAG
    from airflow.sdk import Asset as Asset
    from airflow.sdk import BaseHook as BaseHook
    from airflow.sdk import BaseNotifier as BaseNotifier
    from airflow.sdk import BaseOperator as BaseOperator
    from airflow.sdk import BaseOperatorLink as BaseOperatorLink
    from airflow.sdk import CronTriggerTimetable as CronTriggerTimetable
    from airflow.sdk import Param as Param
    from airflow.sdk import get_parsing_context as get_parsing_context
    from airflow.sdk.configuration import conf as conf
    from airflow.sdk.exceptions import AirflowException as AirflowException
    from airflow.sdk.exceptions import AirflowFailException as AirflowFailException
    from airflow.sdk.exceptions import AirflowNotFoundException as AirflowNotFoundException
    from airflow.sdk.exceptions import ParamValidationError as ParamValidationError
    from airflow.sdk.log import mask_secret as mask_secret
    from airflow.utils.session import create_session as create_session

# Where Airflow keeps each name, the newest place first. Older places still work on newer releases, but warn.
PLACES: dict[str, tuple[str, ...]] = {
    "AIRFLOW_HOME": ("airflow.configuration:AIRFLOW_HOME",),
    "AirflowClusterPolicySkipDag": ("airflow.exceptions:AirflowClusterPolicySkipDag",),
    "AirflowPlugin": ("airflow.plugins_manager:AirflowPlugin",),
    "Asset": ("airflow.sdk:Asset", "airflow.datasets:Dataset"),
    "BaseDagBundle": ("airflow.dag_processing.bundles.base:BaseDagBundle",),
    "BaseHook": ("airflow.sdk:BaseHook", "airflow.hooks.base:BaseHook"),
    "BaseNotifier": (
        "airflow.sdk:BaseNotifier",
        "airflow.sdk.definitions.notifier:BaseNotifier",
        "airflow.notifications.basenotifier:BaseNotifier",
    ),
    "BaseOperator": ("airflow.sdk:BaseOperator", "airflow.models.baseoperator:BaseOperator"),
    "BaseOperatorLink": ("airflow.sdk:BaseOperatorLink", "airflow.models.baseoperatorlink:BaseOperatorLink"),
    "CronTriggerTimetable": (
        "airflow.sdk:CronTriggerTimetable",
        "airflow.timetables.trigger:CronTriggerTimetable",
    ),
    "DAG": ("airflow.sdk:DAG", "airflow.models.dag:DAG"),
    # Tables of Airflow's database, which the pages read.
    "DagModel": ("airflow.models.dag:DagModel",),
    "DagRun": ("airflow.models.dagrun:DagRun",),
    "DagTag": ("airflow.models.dag:DagTag",),
    "SerializedDagModel": ("airflow.models.serialized_dag:SerializedDagModel",),
    "TaskInstance": ("airflow.models.taskinstance:TaskInstance",),
    "XComModel": ("airflow.models.xcom:XComModel", "airflow.models.xcom:BaseXCom"),
    "create_session": ("airflow.utils.session:create_session",),
    "Param": ("airflow.sdk:Param", "airflow.models.param:Param"),
    "conf": ("airflow.sdk.configuration:conf", "airflow.configuration:conf"),
    "get_bundle_tracking_dir": ("airflow.dag_processing.bundles.base:get_bundle_tracking_dir",),
    "get_parsing_context": (
        "airflow.sdk:get_parsing_context",
        "airflow.utils.dag_parsing_context:get_parsing_context",
    ),
    "mask_secret": (
        "airflow.sdk.log:mask_secret",
        "airflow.sdk.execution_time.secrets_masker:mask_secret",
        "airflow.utils.log.secrets_masker:mask_secret",
    ),
    "settings": ("airflow.settings",),
    # Not that of airflow.sdk: the DAG processor sets up only this one.
    "Stats": ("airflow.observability.stats:Stats", "airflow.stats:Stats"),
    **{
        name: (f"airflow.sdk.exceptions:{name}", f"airflow.exceptions:{name}")
        for name in (
            "AirflowException",
            "AirflowFailException",
            "AirflowNotFoundException",
            "ParamValidationError",
        )
    },
}

_OLDEST = (2, 11)
_WITHOUT = "Publishing, triggering and reading flows need no Airflow."
_MISSING = (
    "This part of airflow-provider-aqueduct makes and runs DAGs, so it needs Apache Airflow 2.11 or newer,"
    " and this Python has none. Use the Python of your Airflow, or install both:"
    f' pip install "airflow-provider-aqueduct[airflow]". {_WITHOUT}'
)
_TOO_OLD = (
    "This part of airflow-provider-aqueduct makes and runs DAGs, so it needs Apache Airflow 2.11 or newer,"
    " and this Python has {version}. Upgrade Airflow, with its constraints file:"
    f' pip install "apache-airflow>=2.11" --constraint FILE. {_WITHOUT}'
)
_BROKEN = (
    "This Python has an Airflow that cannot be imported: {error}. Install what is missing, as Airflow's"
    " constraints file has it; pip check shows more."
)
_NO_PLACE = (
    "Airflow {version} has {name} nowhere that airflow-provider-aqueduct looks for it ({places}). Install a"
    " release for this Airflow: pip install --upgrade airflow-provider-aqueduct."
)


def _airflow_version() -> str:
    """Return the version of the Airflow of this Python.

    :raises AirflowImportError: there is none, or none that can be used.
    """
    try:
        import airflow

        # Packages such as Airflow's Task SDK leave a folder of this name without Airflow itself.
        version: str = airflow.__version__
    except AttributeError:
        raise AirflowImportError(_MISSING) from None
    except ModuleNotFoundError as error:
        if error.name == "airflow":
            raise AirflowImportError(_MISSING) from None
        raise AirflowImportError(_BROKEN.format(error=error)) from error
    if _release(version) < _OLDEST:
        raise AirflowImportError(_TOO_OLD.format(version=version))
    return version


def _release(version: str) -> tuple[int, ...]:
    from packaging.version import Version

    return Version(version).release


AIRFLOW_VERSION = _airflow_version()
AIRFLOW_V_3_0_PLUS = _release(AIRFLOW_VERSION) >= (3,)
# Before 3.1.1, Airflow 3 cannot log users in to pages of plugins.
AIRFLOW_HAS_PAGES = not (3,) <= _release(AIRFLOW_VERSION) < (3, 1, 1)


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for place in PLACES[name]:
        try:
            found = _at(place)
        except AttributeError:
            continue
        globals()[name] = found
        return found
    places = ", ".join(place.partition(":")[0] for place in PLACES[name])
    raise AirflowImportError(_NO_PLACE.format(version=AIRFLOW_VERSION, name=name, places=places))


def _at(place: str) -> Any:
    """Import what is at a place, ``module`` or ``module:attribute``.

    :raises AttributeError: this Airflow has no such place.
    """
    name, _, attribute = place.partition(":")
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            raise AttributeError(place) from error
        # Airflow has it, but lacks something itself.
        raise AirflowImportError(_BROKEN.format(error=error)) from error
    return getattr(module, attribute) if attribute else module


# The trigger forms edit an array as one string per line, and so would turn [1, 2] into ["1", "2"], unless
# its items have a type that is not just a string (Airflow 3) or have no type at all (2.11): then as JSON.
ANY_ITEMS: dict[str, Any] = (
    {"type": ["string", "number", "boolean", "object", "array", "null"]}
    if AIRFLOW_V_3_0_PLUS
    else {"title": "any JSON value"}
)


def bundle_version(version: str) -> Any:
    """Return a bundle's version as Airflow takes it: an object since Airflow 3.3, text before."""
    try:
        from airflow.dag_processing.bundles.base import BundleVersion
    except ImportError:
        return version
    return BundleVersion(version)


def dag_run_state(ti: Any, run_id: str) -> str | None:
    """Airflow's state of a run of a task's DAG, asked in that task; None where Airflow has no such run.

    :param ti: the task instance of the context.
    """
    if AIRFLOW_V_3_0_PLUS:
        from airflow.sdk.exceptions import AirflowRuntimeError

        try:
            state = ti.get_dagrun_state(dag_id=ti.dag_id, run_id=run_id)
        except AirflowRuntimeError as error:
            if (error.error.detail or {}).get("status_code") != 404:
                raise
            return None
    else:
        from airflow.models import DagRun

        found = DagRun.find(dag_id=ti.dag_id, run_id=run_id)
        state = found[0].state if found else None
    return None if state is None else str(getattr(state, "value", state))


def succeeded_tasks(ti: Any, run_id: str, task_ids: Collection[str]) -> set[str]:
    """Those of these tasks of a run that have succeeded, asked in a task of the same DAG.

    :param ti: the task instance of the context.
    """
    if AIRFLOW_V_3_0_PLUS:
        found = ti.get_task_states(dag_id=ti.dag_id, task_ids=sorted(task_ids), run_ids=[run_id])
        states = dict(found.get(run_id, {}))
    else:
        tasks = ti.get_dagrun().get_task_instances()
        states = {one.task_id: one.state for one in tasks if one.task_id in task_ids}
    return {task_id for task_id, state in states.items() if str(getattr(state, "value", state)) == "success"}
