"""The arguments of decorators, one by one."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring import options
from aqueduct_provider.sdk.authoring.options import Outputs
from aqueduct_provider.sdk.enums import CheckSeverity
from aqueduct_provider.sdk.keywords import RunOptions
from aqueduct_provider.spec.models import Resources

WHERE = "@op 'f'"


def options_of(**given: Any) -> options.Options:
    resources = given.pop("resources", None)
    return options.options_of(WHERE, RunOptions(**given), resources)  # type: ignore[typeddict-item]


# --- outputs


@pytest.mark.parametrize(
    ("num_outputs", "names", "expected"),
    [
        (None, None, Outputs(1, ())),
        (3, None, Outputs(3, ())),
        (None, ["train", "test"], Outputs(2, ("train", "test"))),
        (1, ("train",), Outputs(1, ("train",))),
    ],
)
def test_outputs(num_outputs: Any, names: Any, expected: Outputs) -> None:
    assert options.outputs_of(WHERE, num_outputs, names) == expected


@pytest.mark.parametrize(
    ("num_outputs", "names", "message"),
    [
        (0, None, "num_outputs must be a positive integer, not 0"),
        (-1, None, "num_outputs must be a positive"),
        ("2", None, "num_outputs must be a positive integer, not '2'"),
        (True, None, "num_outputs must be a positive"),
        (2.0, None, "num_outputs must be a positive"),
        (1, ["a", "b"], "outputs has 2 names, but num_outputs is 1"),
        (None, ["a", "b", "a"], "outputs has 'a' twice"),
        (None, [], "outputs is empty"),
        (None, "ab", r"outputs must be a list of strings such as \['train', 'test'\], not str"),
        (None, ["a", 3], "outputs must be .*, not a list with an entry of type int"),
        (None, ["a", None], "outputs must be .*, not a list with an entry of type NoneType"),
        (None, ["a", " "], "outputs has an empty entry"),
    ],
)
def test_outputs_that_are_refused(num_outputs: Any, names: Any, message: str) -> None:
    with pytest.raises(AuthoringError, match=f"^@op 'f': {message}"):
        options.outputs_of(WHERE, num_outputs, names)


@pytest.mark.parametrize(
    ("output", "outputs", "expected"),
    [(None, None, ()), ("score", None, ("score",)), (None, ["score"], ("score",))],
)
def test_the_output_of_a_metric(output: Any, outputs: Any, expected: tuple[str, ...]) -> None:
    assert options.output_of(WHERE, output, outputs) == Outputs(1, expected)


@pytest.mark.parametrize(
    ("output", "outputs", "message"),
    [
        ("a", ["a"], "give output or outputs, not both"),
        (None, ["a", "b"], "has one output, but outputs has 2 names"),
        ("", None, "has an empty entry"),
        (5, None, "entry of type int"),
    ],
)
def test_outputs_of_a_metric_that_are_refused(output: Any, outputs: Any, message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        options.output_of(WHERE, output, outputs)


# --- how it is run


def test_nothing_given() -> None:
    assert options_of() == options.Options()


def test_all_given() -> None:
    found = options_of(retries=2, retry_delay=timedelta(minutes=1), timeout=90, pool="gpu", fuse="a.b-c_1")
    assert found == options.Options(retries=2, retry_delay=60.0, timeout=90.0, pool="gpu", fuse="a.b-c_1")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"retries": -1}, "retries must be an integer from 0 to 100, not -1"),
        ({"retries": 101}, "retries must be"),
        ({"retries": True}, "retries must be"),
        ({"retries": "3"}, "retries must be"),
        ({"retry_delay": "5"}, "retry_delay must be seconds or a timedelta, not str"),
        ({"retry_delay": True}, "retry_delay must be seconds"),
        ({"retry_delay": 0}, "retry_delay must be more than 0 seconds"),
        (
            {"timeout": timedelta(seconds=-1)},
            "timeout must be more than 0 seconds and at most a year, not -1",
        ),
        ({"timeout": timedelta(days=366)}, "timeout must be"),
        ({"timeout": math.nan}, "timeout must be"),
        ({"pool": ""}, "pool must be text, not empty"),
        ({"pool": 5}, "pool must be text, not int"),
        ({"fuse": True}, "fuse must be text, not bool"),
        ({"fuse": "two words"}, "fuse names an Airflow task: letters, .* not 'two words'"),
        ({"fuse": ".hidden"}, "fuse names an Airflow task"),
        ({"fuse": "x" * 201}, "fuse names an Airflow task"),
    ],
)
def test_options_that_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(AuthoringError, match=f"^@op 'f': {message}"):
        options_of(**given)


@pytest.mark.parametrize("severity", ["error", CheckSeverity.ERROR])
def test_severity(severity: Any) -> None:
    assert options.severity_of(WHERE, severity) == "error"
    assert options.severity_of(WHERE, CheckSeverity.WARNING) == "warning"
    # A text of its own, for it goes into the spec.
    assert type(options.severity_of(WHERE, severity)) is str


@pytest.mark.parametrize("severity", ["ERROR", "", None, 2])
def test_severities_that_are_refused(severity: Any) -> None:
    with pytest.raises(AuthoringError, match="severity must be 'warning' or 'error'"):
        options.severity_of(WHERE, severity)


# --- resources


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"num_cpus": 2}, {"num_cpus": 2}),
        ({"memory": 200}, {"memory_mb": 200}),
        ({"memory": "200MB"}, {"memory_mb": 200}),
        # As the original counts.
        ({"memory": "2 gb"}, {"memory_mb": 2048}),
        (
            {"gpu_resource_name": "nvidia.com/gpu", "cuda_version": "11.4.1"},
            {"gpu_resource_name": "nvidia.com/gpu", "cuda_version": "11.4.1"},
        ),
        ({"use_llm": True}, {"use_llm": True}),
        ({"num_cpus": None, "memory": None}, {}),
        ({}, {}),
    ],
)
def test_resources(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = options_of(resources=given).resources
    assert found == expected
    assert Resources.model_validate(found)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("2GB", "resources must be a dict"),
        ({"num_cpu": 2}, "unknown resource 'num_cpu'. Did you mean 'num_cpus'"),
        ({"memory_mb": 2}, "unknown resource 'memory_mb'. Did you mean 'memory'"),
        ({5: 2}, "unknown resource 5. There are: 'cuda_version'"),
        ({"num_cpus": 0}, r"resources\['num_cpus'\] must be a positive integer, not 0"),
        ({"num_cpus": 2.5}, "must be a positive integer"),
        ({"num_cpus": True}, "must be a positive integer"),
        ({"memory": 0}, r"resources\['memory'\] must be .* '200MB' or '2GB', not 0"),
        ({"memory": "0MB"}, "not '0MB'"),
        ({"memory": "2"}, "not '2'"),
        ({"memory": "1.5GB"}, "not '1.5GB'"),
        ({"memory": "2KB"}, "not '2KB'"),
        ({"memory": "²GB"}, "not '²GB'"),
        ({"memory": 200.0}, r"not 200\.0"),
        ({"gpu_resource_name": 3}, r"resources\['gpu_resource_name'\] must be text, not int"),
        ({"gpu_resource_name": ""}, "must be text, not empty"),
        ({"cuda_version": "11.4.1"}, "cuda_version, so it needs a gpu_resource_name"),
        ({"use_llm": "yes"}, "must be True or False, not 'yes'"),
    ],
)
def test_resources_that_are_refused(given: Any, message: str) -> None:
    with pytest.raises(AuthoringError, match=f"^@op 'f': .*{message}"):
        options_of(resources=given)


# --- others


@pytest.mark.parametrize("given", [None, "req.txt", Path("req.txt"), ("a", ""), ()])
def test_requirements(given: Any) -> None:
    assert options.requirements_of(WHERE, given) == given


@pytest.mark.parametrize(
    ("given", "found"),
    [(5, "int"), (" ", "blank text"), (["a", 5], "a list with an entry of type int"), ({"a"}, "set")],
)
def test_requirements_that_are_refused(given: Any, found: str) -> None:
    with pytest.raises(AuthoringError, match=f"requirements must be the path .*, or a list .*, not {found}"):
        options.requirements_of(WHERE, given)


def test_engine_and_image() -> None:
    options.refuse_engine_and_image(WHERE, None, None)
    with pytest.raises(AuthoringError, match=r"no engine of its own.*publish_flow\(\.\.\., engine="):
        options.refuse_engine_and_image(WHERE, "aqueduct", None)
    with pytest.raises(AuthoringError, match=r"no image.*built from their requirements"):
        options.refuse_engine_and_image(WHERE, None, {"url": "x"})


def test_texts_may_be_paths() -> None:
    assert options.strings(WHERE, "files", [Path("a/b.csv"), "c"], example="") == ("a/b.csv", "c")
