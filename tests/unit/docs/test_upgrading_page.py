"""The pages on upgrading and uninstalling say what the tables of the code say."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from pathlib import Path

import pytest

from aqueduct_provider.get_provider_info import get_provider_info
from tools.supported import AIRFLOWS, PYTHONS

DOCS = Path(__file__).parents[3] / "docs"
UPGRADING = (DOCS / "upgrading.md").read_text("utf-8")
UNINSTALL = (DOCS / "uninstall.md").read_text("utf-8")


@pytest.mark.parametrize(("name", "versions"), [("Airflow", AIRFLOWS), ("Python", PYTHONS)])
def test_the_supported_versions_are_those_of_the_tests(name: str, versions: dict[str, str]) -> None:
    row = re.search(rf"^\| {name} \| (.*) \|$", UPGRADING, re.MULTILINE)
    assert row
    assert row[1].split(", ") == list(versions)


def test_the_warning_of_the_deprecation_policy_can_be_made_an_error() -> None:
    found = re.search(r"`([\w.]+)\.(\w+Warning)`", UPGRADING)
    assert found
    kind = getattr(import_module(found[1]), found[2])
    assert issubclass(kind, DeprecationWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("error", kind)
        with pytest.raises(kind, match="use new"):
            warnings.warn("old: use new", kind, stacklevel=1)


def test_the_default_cache_is_named() -> None:
    options = get_provider_info()["config"]["aqueduct"]["options"]
    assert f"`{options['cache_dir']['default']}`" in UNINSTALL


def test_uninstalling_names_every_folder_and_what_must_be_done_before() -> None:
    before, after = UNINSTALL.split("On the machines of data scientists")
    assert after.index("aqueduct-airflow disconnect") < after.index("pip uninstall")
    for place in ("~/.aqueduct", "~/.cache/aqueduct", "_airflow.json", "uv's cache"):
        assert place in after, place
    for place in ("dag_bundle_storage_path", "AIRFLOW_CONN_*", "~/.cache/uv", "aqueduct_demo", "bucket"):
        assert place in before, place
