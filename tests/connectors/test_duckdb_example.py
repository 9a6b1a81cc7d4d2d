"""The example of a data system in a package of its own, installed into a folder that nothing else uses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomlkit

EXAMPLE = Path(__file__).parents[2] / "examples" / "duckdb-system"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for ``sys.path`` with the package and the metadata that an installer leaves."""
    project: Any = tomlkit.parse((EXAMPLE / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    (package,) = EXAMPLE.glob("*/__init__.py")
    shutil.copytree(package.parent, site / package.parent.name, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    name, version = project["name"], project["version"]
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = [
        f"[{group}]\n" + "".join(f"{entry} = {value}\n" for entry, value in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("".join(groups))
    return site


def run(code: str, site: Path | None, folder: Path) -> Any:
    """Run code in a Python of its own; what it prints, as JSON."""
    paths = [str(path) for path in (site, EXAMPLE.parents[1]) if path]
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TABLES = """
import json
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
from aqueduct_provider.connectors import run
from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder, SystemOrder
from aqueduct_provider.errors import LoadRefused

folder, system = Path("."), SystemOrder("DuckDB", {"database": "shop.duckdb", "options": {"threads": "1"}})

def load(table, mode, key, target="Orders"):
    pq.write_table(table, "in")
    request = LoadOrder(system, target, mode, "in", "table", "parquet", key * 64, "d" * 64, "run")
    try:
        return run.load(request, folder)
    except LoadRefused as refused:
        return str(refused)

def rows(query, *parameters):
    run.extract(ExtractOrder(system, "out", (query,), parameters=parameters), folder)
    return pq.read_table("out").to_pylist()

one = pa.table({"n": [1, 2], "name": ["x", None], "tags": [["a"], []]})
"""


def test_tables_go_there_and_back(site: Path, tmp_path: Path) -> None:
    code = f"""{TABLES}
print(json.dumps([
    load(one, "fail", "a"), load(one, "append", "b"), load(one, "append", "b"),
    load(one, "fail", "c", "orders"),
    rows("SELECT n, name, tags FROM orders WHERE n = $1", "1"), rows("SELECT count(*) AS n FROM orders"),
    load(pa.table({{"n": [7]}}), "replace", "d"), rows("SELECT * FROM orders"),
    run.discover(system), run.check(system),
    load(one, "replace", "e", "main.Aqueduct_loads"),
]))
"""
    first, second, again, refused, one, count, replaced, after, tables, check, ledger = run(
        code, site, tmp_path / "job"
    )
    assert (first, second, again) == (2, 2, None)
    assert refused.startswith("The table orders exists already, and the update mode is 'fail'")
    assert one == [{"n": 1, "name": "x", "tags": ["a"]}] * 2
    assert (count, replaced, after) == ([{"n": 4}], 1, [{"n": 7}])
    assert tables == ["Orders"]
    assert "answers: DuckDB v" in check
    assert "records its loads" in ledger


SPEC = """
import json
from pydantic import TypeAdapter, ValidationError
from aqueduct_provider.spec.system_operators import Source, Target
found = []
source = {"connector": "DuckDB", "connection_id": "shop", "queries": ["SELECT 1"]}
target = {"connector": "DuckDB", "connection_id": "shop", "table": "t"}
for union, fields in ((Source, source), (Target, target), (Source, {**source, "queries": []})):
    adapter = TypeAdapter(union)
    try:
        model = adapter.validate_json(json.dumps(fields))
        found.append([type(model).__mro__[1].__name__, adapter.dump_python(model, mode="json")["connector"]])
    except ValidationError as error:
        found.append(error.errors()[0]["type"])
schema = json.dumps(TypeAdapter(Source).json_schema())
print(json.dumps([*found, "DuckDB" in schema]))
"""


def test_specs_may_name_it_where_it_is_installed(site: Path, tmp_path: Path) -> None:
    read, written, wrong, in_schema = run(SPEC, site, tmp_path / "job")
    assert (read, written) == (["SqlExtract", "DuckDB"], ["SqlLoad", "DuckDB"])
    assert (wrong, in_schema) == ("too_short", False)
    assert run(SPEC, None, tmp_path / "job")[0] == "union_tag_invalid"


SDK = """
import json
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.services import service_of
from aqueduct_provider.sdk.resources.sql_resource import SqlResource
from aqueduct_provider.sdk.resources.urls import fields_of
service = service_of("duck db")
try:
    SqlResource(service, "shop", {"database": "shop.duckdb"})
except ConfigError as error:
    refused = str(error)
fields = fields_of("duckdb:////data/shop.duckdb", service)
print(json.dumps([service.name, list(service.needed), fields, refused]))
"""


def test_the_sdk_knows_it(site: Path, tmp_path: Path) -> None:
    *known, refused = run(SDK, site, tmp_path / "job")
    assert known == ["DuckDB", ["database"], {"database": "/data/shop.duckdb"}]
    assert "database: must be the path of a file that begins with / or ~." in refused
