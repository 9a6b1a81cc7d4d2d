"""Requirements of flows, resolved by a real uv from an index in a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON
from aqueduct_provider.errors import AuthoringError, EnvironmentBuildError
from aqueduct_provider.sdk.publishing.requirement_check import check_requirements, refuse_unresolvable
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import Code, WorkflowSpec
from tests.support.deployment import Deployment
from tests.support.example_specs import native_document, operator
from tests.support.flow_runs import function_zip
from tests.support.node_graphs import op, user_function
from tests.unit.environment.conftest import Index
from tests.unit.sdk.publishing.test_compose import composed


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A package index that uv uses on this machine; cloudpickle and the codecs of tables are in it."""
    index = Index(tmp_path / "index")
    for name in ("cloudpickle", "pandas", "pyarrow", "alpha"):
        index.add(name, "1.0")
    index.add("alpha", "2.0")
    index.add("beta", "1.0", "alpha>=2; sys_platform == 'linux'", "gone; sys_platform == 'win32'")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    return index


def flow(**requirements: list[str] | None) -> WorkflowSpec:
    """A flow with one function for each list of requirements; None: they are in its archive."""
    document = native_document()
    code = document["operators"][1]["code"]
    document["artifacts"] = [
        {"id": f"{name}-value", "name": name, "type": "untyped"} for name in requirements
    ]
    document["parameters"] = []
    document["operators"] = [
        operator(name, "function", inputs=[], code={**code, "requirements": lines, "python_version": "3.11"})
        for name, lines in requirements.items()
    ]
    return parse(json.dumps(document).encode(), "flow")


def unread(_: Code) -> bytes:
    raise AssertionError("the spec says it all")


def test_what_each_environment_would_have(index: Index) -> None:
    checks = check_requirements(flow(a=["beta"], b=["Beta"], c=["alpha<2"], d=[]), unread)
    assert [(one.flow, one.operator, one.problem) for one in checks] == [
        ("churn", name, "") for name in ("a", "b", "c", "d")
    ]
    assert checks[0].packages == checks[1].packages == ("alpha==2.0", "beta==1.0", "cloudpickle==1.0")
    assert checks[2].packages == ("alpha==1.0", "cloudpickle==1.0")
    assert checks[2].requirements == ("alpha<2", "cloudpickle")
    assert checks[3].packages == ("cloudpickle==1.0",)


def test_what_cannot_be_resolved_and_why(index: Index) -> None:
    checks = check_requirements(flow(a=["alpha"], b=["beta", "alpha<2"], c=["missing"]), unread)
    good, clash, missing = (one.problem for one in checks)
    assert good == ""
    assert clash.startswith("The requirements cannot be resolved: ")
    assert "beta" in clash
    assert "alpha" in clash
    assert "missing was not found in the package registry" in missing
    assert all("error:" not in text and "cause:" not in text for text in (clash, missing))


def test_the_python_of_the_function_counts(index: Index) -> None:
    wheel = index.add("gamma", "1.0")
    index.add("alpha", "3.0", "gone")
    assert wheel.is_file()
    lines = ["alpha<3; python_version < '3.12'", "alpha==3.0; python_version >= '3.12'"]
    spec = flow(a=lines)
    assert check_requirements(spec, unread)[0].packages == ("alpha==2.0", "cloudpickle==1.0")


def test_tables_take_their_codecs(index: Index) -> None:
    checks = check_requirements(flow(a=["pandas"]), unread)
    assert checks[0].packages == ("cloudpickle==1.0", "pandas==1.0", "pyarrow==1.0")


def test_requirements_in_archives(index: Index) -> None:
    archives: Mapping[str, str] = {"good": "alpha==1.0\n", "bad": "alpha\n-r other.txt\n"}
    document = native_document()
    code = document["operators"][1]["code"]
    document["parameters"] = []
    document["artifacts"] = [{"id": f"{name}-value", "name": name} for name in archives]
    document["operators"] = [
        operator(name, "function", inputs=[], code={**code, "key": name}) for name in archives
    ]
    for one in document["operators"]:
        one["code"].pop("requirements", None)
        one["code"].pop("python_version", None)
    spec = parse(json.dumps(document).encode(), "flow")

    def read(code: Code) -> bytes:
        files = {"requirements.txt": archives[code.key], "python_version.txt": "3.10"}
        return function_zip("", **files)

    good, bad = check_requirements(spec, read)
    assert (good.packages, good.python_version) == (("alpha==1.0", "cloudpickle==1.0"), "3.10")
    assert "Requirement line 2: '-r other.txt' cannot be used here" in bad.problem


def test_an_index_that_does_not_answer_is_not_the_flows_fault(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(EnvironmentBuildError, match="uv could not resolve the requirements here: "):
        check_requirements(flow(a=["alpha"]), unread)


def test_credentials_are_not_shown(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    lines = ["alpha @ http://me:hunter2@127.0.0.1:9/alpha.whl"]
    builder = replace(UvBuilder(), uv=None)
    try:
        shown = repr(check_requirements(flow(a=lines), unread, builder))
    except EnvironmentBuildError as error:
        shown = str(error)
    assert "hunter2" not in shown


def test_a_flow_is_refused_with_all_operators(index: Index) -> None:
    import cloudpickle

    index.add("cloudpickle", cloudpickle.__version__)
    good = op("good", function=user_function(len, "alpha"))
    composition = composed(good)
    refuse_unresolvable(archived(composition, good="alpha"))
    bad = archived(composition, good="alpha==9")
    with pytest.raises(AuthoringError) as caught:
        refuse_unresolvable(bad)
    text = str(caught.value)
    assert text.startswith("The flow 'My flow' cannot be published, for the requirements of some of its")
    assert "- 'good': The requirements cannot be resolved: " in text
    assert "alpha==9" in text


def archived(composition: Any, **requirements: str) -> Any:
    """The composition, with archives that hold these requirements."""
    objects = {
        one.code.key: function_zip(
            "", **{"requirements.txt": requirements[one.name], "python_version.txt": WORKER_PYTHON}
        )
        for one in composition.spec.operators
    }
    return replace(composition, objects=objects)


def test_publishing_may_ask_for_it(made: Deployment, index: Index) -> None:
    import cloudpickle

    index.add("cloudpickle", cloudpickle.__version__)

    @aq.op(requirements=["alpha==1.0"], outputs=["good"])
    def good() -> int:
        return 1

    @aq.op(requirements=["alpha==9.0"], outputs=["bad"])
    def bad() -> int:
        return 1

    made.publish("good", [good()], check_requirements=True)
    with pytest.raises(AuthoringError, match="- 'bad': The requirements cannot be resolved"):
        made.publish("bad", [bad()], check_requirements=True)
    assert [flow["name"] for flow in made.client.list_flows()] == ["good"]
    made.publish("bad", [bad()])
