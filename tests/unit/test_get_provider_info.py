from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest

import aqueduct_provider
from aqueduct_provider import get_provider_info as module
from aqueduct_provider.compat import BaseOperatorLink
from aqueduct_provider.get_provider_info import get_provider_info

INFO = get_provider_info()
AIRFLOW = Path(airflow.__file__).parent
AIRFLOW_VERSION = tuple(int(part) for part in metadata.version("apache-airflow").split(".")[:2])


def schema(name: str) -> Any:
    return json.loads((AIRFLOW / name).read_text())


def test_valid_for_airflow() -> None:
    jsonschema.validate(INFO, schema("provider_info.schema.json"))


@pytest.mark.skipif(AIRFLOW_VERSION < (3, 2), reason="older schemas do not know forms")
def test_form_is_valid_for_airflow() -> None:
    kinds = schema("provider.yaml.schema.json")["properties"]["connection-types"]
    jsonschema.validate(INFO["connection-types"], kinds)


def test_options_are_valid_for_airflow() -> None:
    option = schema("provider_info.schema.json")["definitions"]["option"]
    for value in INFO["config"]["aqueduct"]["options"].values():
        jsonschema.validate(value, option)


def test_names_and_version_are_those_of_the_package() -> None:
    assert INFO["package-name"] == metadata.distribution("airflow-provider-aqueduct").metadata["Name"]
    assert INFO["versions"] == [aqueduct_provider.__version__]


def test_the_entry_point_leads_here() -> None:
    (entry,) = metadata.entry_points(group="apache_airflow_provider", name="provider_info").select(
        module="aqueduct_provider.get_provider_info"
    )
    assert entry.load() is get_provider_info


def test_every_named_class_exists() -> None:
    for kind in INFO["connection-types"]:
        home, _, name = kind["hook-class-name"].rpartition(".")
        hook = getattr(importlib.import_module(home), name)
        assert hook.conn_type == kind["connection-type"]
        assert hook.hook_name == kind["hook-name"]
    for place in INFO["extra-links"]:
        home, _, name = place.rpartition(".")
        assert issubclass(getattr(importlib.import_module(home), name), BaseOperatorLink)


def test_imports_nothing() -> None:
    tree = ast.parse(inspect.getsource(module))
    imported = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {getattr(node, "module", None) for node in imported} <= {"__future__", "typing"}


MANAGER = """
import json, warnings
warnings.filterwarnings("error", message=".*aqueduct_provider")
from airflow.providers_manager import ProvidersManager
manager = ProvidersManager()
hook = manager.hooks["aqueduct"]
widgets = {name: str(form.field_name) for name, form in manager.connection_form_widgets.items()
           if name.startswith("extra__aqueduct__")}
manager.initialize_providers_configuration()
from airflow.configuration import conf
print("RESULT", json.dumps({
    "hook": [hook.hook_name, hook.connection_id_attribute_name, hook.connection_testable],
    "widgets": widgets,
    "behaviour": manager.field_behaviours["aqueduct"],
    "retries": conf.get("aqueduct", "s3_max_attempts"),
}))
"""


@pytest.mark.skipif(
    (3, 0) <= AIRFLOW_VERSION < (3, 2), reason="without FAB it shows no fields of any connection"
)
def test_a_real_providers_manager_finds_all(tmp_path: Path) -> None:
    environment = {"AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", MANAGER]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found = json.loads(done.stdout.rpartition("RESULT")[2])
    assert found["hook"] == ["Aqueduct artifact store", "aqueduct_conn_id", True]
    fields = INFO["connection-types"][0]["conn-fields"]
    assert found["widgets"] == {f"extra__aqueduct__{name}": name for name in fields}
    assert found["behaviour"]["hidden_fields"] == ["host", "schema", "login", "password", "port"]
    assert found["behaviour"]["placeholders"]["extra__aqueduct__credentials_profile"] == "default"
    assert found["retries"] == "5"
    assert "aqueduct" not in done.stderr
