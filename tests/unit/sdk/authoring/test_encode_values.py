"""Values of parameters: small JSON stands in the spec, everything else is stored, and comes back."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pandas
import pytest
from PIL import Image

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.execution.function_archive import unpack
from aqueduct_provider.runner.codecs import decode
from aqueduct_provider.sdk.authoring.encode_values import (
    MAX_INLINE_BYTES,
    EncodedValue,
    encoded_default,
    encoded_value,
)
from tests.support.node_graphs import op, param
from tests.support.user_projects import LIMITS, ROOT


def default_of(value: Any) -> EncodedValue:
    return encoded_default(param("p", value).producer)


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "type_", "inline"),
    [
        (3, "numeric", 3),
        (0.1, "numeric", 0.1),
        (-(2**53) + 1, "numeric", -(2**53) + 1),
        (1e300, "numeric", 1e300),
        (True, "boolean", True),
        ("text", "string", "text"),
        ("grün 予測", "string", "grün 予測"),
        ("", "string", ""),
        ("[1]", "json", "[1]"),
        ("2024", "json", "2024"),
        ([1, "a", None], "list", [1, "a", None]),
        ((1, [2]), "tuple", [1, [2]]),
        ({"a": {"b": [1.5]}}, "dictionary", {"a": {"b": [1.5]}}),
        ("x" * (MAX_INLINE_BYTES - 2), "string", "x" * (MAX_INLINE_BYTES - 2)),
        (nested(50), "list", nested(50)),
    ],
)
def test_small_json_stands_in_the_spec(value: Any, type_: str, inline: Any) -> None:
    default = default_of(value)
    assert default.type == type_
    assert default.inline() == {"value": inline}
    assert type(default.inline()["value"]) is type(inline)  # type: ignore[index]
    # What the codecs make of the stored bytes is what a run makes of the inline value.
    decoded = decode(default.data, default.serialization_type, type_)
    assert (list(decoded) if type_ == "tuple" else decoded) == inline


@pytest.mark.parametrize(
    ("value", "type_", "serialization_type"),
    [
        (math.inf, "numeric", "json"),
        ([math.nan], "list", "json"),
        # Airflow's form would round them.
        (2**53, "numeric", "json"),
        ([-(2**53)], "list", "json"),
        (2**70, "numeric", "json"),
        ("nul \0", "string", "string"),
        (["half \ud800"], "list", "json"),
        ({"\0": 1}, "dictionary", "json"),
        ({"a": "\udfff"}, "dictionary", "json"),
        (nested(51), "list", "json"),
        ("x" * (MAX_INLINE_BYTES - 1), "string", "string"),
        # Six bytes each as JSON.
        ("é" * (MAX_INLINE_BYTES // 6 + 1), "string", "string"),
        (b"bytes", "bytes", "bytes"),
        ([date(2026, 1, 1)], "list", "pickle"),
        ({1, 2}, "picklable", "pickle"),
        (date(2026, 1, 1), "picklable", "pickle"),
    ],
)
def test_all_else_is_stored(value: Any, type_: str, serialization_type: str) -> None:
    default = default_of(value)
    assert default.inline() is None
    assert (default.type, default.serialization_type) == (type_, serialization_type)
    assert default.sha256 == hashlib.sha256(default.data).hexdigest()
    assert default.stored("some/key") == {
        "key": "some/key",
        "serialization_type": serialization_type,
        "sha256": default.sha256,
    }
    decoded = decode(default.data, serialization_type, type_)
    assert repr(decoded) == repr(value)


def test_tables_are_parquet() -> None:
    table = pandas.DataFrame({"a": [1, 2], "at": pandas.to_datetime(["2026-01-01", None])})
    default = default_of(table)
    assert (default.type, default.serialization_type) == ("table", "parquet")
    assert default.inline() is None
    pandas.testing.assert_frame_equal(decode(default.data, "parquet", "table"), table)


def test_images() -> None:
    default = default_of(Image.new("RGB", (2, 2)))
    assert (default.type, default.serialization_type, default.inline()) == ("image", "image", None)


def test_none_can_be_replaced_by_anything() -> None:
    default = default_of(None)
    assert default.type == "untyped"
    assert default.inline() is None
    assert decode(default.data, default.serialization_type, default.type) is None


def test_text_that_is_json_is_a_string_where_one_is_declared() -> None:
    node = param("p", "2024")
    node.type = "string"
    default = encoded_default(node.producer)
    assert (default.type, default.inline()) == ("string", {"value": "2024"})


def test_a_default_of_another_type_than_declared() -> None:
    node = param("p", 3)
    node.type = "string"
    with pytest.raises(AuthoringError, match=r"^The default of parameter 'p' is of type numeric"):
        encoded_default(node.producer)


def test_a_default_that_cannot_be_stored() -> None:
    with pytest.raises(AuthoringError, match=r"^The default of parameter 'p' is a generator that yields"):
        default_of(iter_of_nothing())
    with pytest.raises(AuthoringError, match=r"Non-String column names .*columns=str\)\.$"):
        default_of(pandas.DataFrame({1: [1]}))


def test_a_package_that_is_not_there_is_named() -> None:
    class Needy:
        def __reduce__(self) -> Any:
            import no_such_package  # type: ignore[import-not-found]  # noqa: F401

    message = (
        "^The value of 'x' cannot be stored: No module named 'no_such_package'. Install that package here"
    )
    with pytest.raises(AuthoringError, match=message):
        encoded_value(Needy(), "untyped", "The value of 'x'")


def iter_of_nothing() -> Any:
    yield


def test_what_is_no_parameter_has_no_default() -> None:
    with pytest.raises(ValueError, match="'f' is not a parameter"):
        encoded_default(op("f").producer)


def test_the_value_stays_out_of_the_repr() -> None:
    assert "hunter2" not in repr(default_of("hunter2"))


# --- values of the user's own classes

SCRIPT = """
import json, sys
import aqueduct_provider.sdk as aq
import settings

class Limits:
    def __init__(self, top):
        self.top = top

@aq.op(requirements=[])
def use(plan, limits, plans):
    assert isinstance(plan, settings.Plan) and isinstance(limits, Limits)
    assert isinstance(plans[0], settings.Plan)
    return plan.doubled(), limits.top, plans[0].countries

aq.global_config({"lazy": True})
client = aq.Client(config_path="config.toml", **json.loads(sys.argv[1]))
plan = client.create_param("plan", settings.Plan(3))
plans = client.create_param("plans", [settings.Plan(4)])
client.publish_flow("plans", artifacts=[use(plan, Limits(5), plans)], spec_file="plans.json")
"""
SETTINGS = """
class Plan:
    def __init__(self, size):
        self.size, self.countries = size, {"de", "fr", "jp", "ke", "uy"}

    def doubled(self):
        return 2 * self.size
"""
PROFILE = """
[resources.airflow]
service = "Airflow"
host = "127.0.0.1:1"
username = "me"
password = "secret"
"""
# A worker's Python: what it has of this package is the codecs, in a file of their own.
READ = """
import json, sys
sys.path.insert(0, sys.argv[1])
from runner import codecs

def read(name, kind):
    with open(f"{sys.argv[2]}/{name}", "rb") as file:
        return codecs.decode(file.read(), "pickle", kind)

values = read("plan", "picklable"), read("limits", "picklable"), read("plans", "list")
sys.path.insert(0, ".")
from model import Function
doubled, limit, countries = Function().predict(*values)
print(json.dumps([doubled, limit, sorted(countries)]))
assert not {"settings", "aqueduct_provider"} & sys.modules.keys()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A script, the module beside it, and the user's profile."""
    files = {"flow.py": SCRIPT, "settings.py": SETTINGS, "config.toml": PROFILE}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "config.toml").chmod(0o600)
    return tmp_path


def test_what_is_pickled_needs_no_module_from_beside_the_script(
    project: Path, s3_server: str, bucket: str, credentials_file: Path, s3_client: Any
) -> None:
    client = {"bucket": bucket, "endpoint_url": s3_server, "region": "us-east-1"}
    client["credentials_path"] = str(credentials_file)
    defaults = list[dict[str, Any]]()
    # Of sets, texts have another order in every process.
    for seed in ("1", "2"):
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        command = [sys.executable, "flow.py", json.dumps(client)]
        subprocess.run(command, cwd=project, env=environ, check=True)
        spec = json.loads((project / "plans.json").read_text())
        defaults.append({one["name"].removeprefix("use:"): one["default"] for one in spec["parameters"]})
    assert defaults[0] == defaults[1]
    for name, default in defaults[0].items():
        s3_client.download_file(bucket, default["key"], project / name)
    (code,) = (one["code"]["key"] for one in spec["operators"] if one["type"] == "function")
    s3_client.download_file(bucket, code, project / "code.zip")
    folder = unpack(project / "code.zip", project / "code", LIMITS, name="code")
    command = [sys.executable, "-I", "-c", READ, str(ROOT / "aqueduct_provider"), str(project)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [6, 5, ["de", "fr", "jp", "ke", "uy"]]
