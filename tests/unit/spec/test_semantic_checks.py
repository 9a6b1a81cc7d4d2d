"""What single fields must fulfil beyond their type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.spec import semantic_checks
from aqueduct_provider.spec.loader import native_path
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.spec.run_values import VALUES_KEY
from tests.support.example_specs import SHA256, native_document, operator


def problems_of(document: Any) -> dict[str, str]:
    spec = WorkflowSpec.model_validate_json(json.dumps(document))
    return {problem.path: problem.message for problem in semantic_checks.check(spec, native_path)}


@pytest.mark.parametrize(
    "cron",
    [
        "0 6 * * 1-5",
        "*/15 * * * *",
        "0  0 1,15 * mon",
        "0 0 l * *",
        "0 0 ? MAR FRI",
        *sorted(semantic_checks.CRON_PRESETS),
    ],
)
def test_schedules_that_airflow_can_run(cron: str) -> None:
    assert problems_of(native_document(schedule={"type": "cron", "cron": cron})) == {}


@pytest.mark.parametrize(
    "cron",
    [
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "0 0 31 2 *",
        "@once",
        "@annually",
        "daily",
        " ",
        "é * * * *",
        "0 0 * * 8",
        "*/0 * * * *",
        "1-5/0 * * * *",
        "0 0 * * mon#6",
        "H * * * *",
        "R * * * *",
        "0 r(2-4) * * *",
        "0 R/3 * * *",
        "0 0 * * r",
    ],
)
def test_schedules_that_it_cannot(cron: str) -> None:
    problems = problems_of(native_document(schedule={"type": "cron", "cron": cron}))
    assert "0 6 * * 1-5" in problems["$.schedule.cron"]


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Etc/GMT+5"])
def test_time_zones(name: str) -> None:
    assert problems_of(native_document(schedule={"type": "cron", "cron": "@daily", "timezone": name})) == {}


@pytest.mark.parametrize(
    "name", ["Europe", "Europe/Atlantis", "../etc/passwd", "/etc/passwd", "+02:00", "x" * 4000, "é"]
)
def test_what_is_no_time_zone(name: str) -> None:
    problems = problems_of(native_document(schedule={"type": "cron", "cron": "@daily", "timezone": name}))
    assert list(problems) == ["$.schedule.timezone"]


def test_a_flow_cannot_wait_for_itself() -> None:
    schedule = {"type": "after_flows", "flows": ["other", "churn"]}
    assert list(problems_of(native_document(schedule=schedule))) == ["$.schedule.flows[1]"]
    assert problems_of(native_document(schedule={**schedule, "flows": ["other"]})) == {}


@pytest.mark.parametrize(
    ("bucket", "is_named"), [("b", True), ("s3://b/p", True), ("s3://", False), ("s3:///p", False)]
)
def test_the_store_names_a_bucket(bucket: str, is_named: bool) -> None:
    problems = problems_of(native_document(artifact_store={"type": "s3", "bucket": bucket}))
    assert list(problems) == ([] if is_named else ["$.artifact_store.bucket"])


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("string", "abc", True),
        ("string", 1, False),
        ("numeric", 1, True),
        ("numeric", 1.5, True),
        ("numeric", "abc", False),
        ("numeric", True, False),
        ("numeric", None, False),
        ("boolean", False, True),
        ("boolean", 0, False),
        ("dictionary", {"a": 1}, True),
        ("dictionary", [], False),
        ("list", [1], True),
        ("list", {}, False),
        ("tuple", [1], True),
        ("tuple", "ab", False),
        ("json", '{"a": 1}', True),
        ("json", {"a": 1}, True),
        ("json", "{a", False),
        ("json", "[" * 100_000, False),
        ("untyped", None, True),
        ("table", [], False),
        ("bytes", "abc", False),
    ],
)
def test_inline_defaults_have_the_type_of_their_parameter(kind: str, value: Any, fits: bool) -> None:
    document = native_document(parameters=[{"name": "threshold", "type": kind, "default": {"value": value}}])
    problems = problems_of(document)
    assert bool(problems) is not fits
    for path, message in problems.items():
        assert path.startswith("$.parameters[0].default")
        assert kind in message


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("numeric", 2**64 - 1, True),
        ("numeric", -(2**63), True),
        ("numeric", 1e300, True),
        ("numeric", 2**64, False),
        ("numeric", -(2**63) - 1, False),
        ("list", [[2**70]], False),
        ("dictionary", {"a": {"b": [1, 2**70]}}, False),
        ("untyped", {"a": [True, None, "x", 1]}, True),
    ],
)
def test_integers_that_no_task_could_be_sent(kind: str, value: Any, fits: bool) -> None:
    document = native_document(parameters=[{"name": "threshold", "type": kind, "default": {"value": value}}])
    problems = problems_of(document)
    assert list(problems) == ([] if fits else ["$.parameters[0].default.value"])
    assert fits or "give its key in the store" in problems["$.parameters[0].default.value"]


def test_no_parameter_has_the_name_under_which_values_are_given_by_key() -> None:
    parameter = {"name": VALUES_KEY, "type": "numeric", "default": {"value": 1}}
    problems = problems_of(native_document(parameters=[parameter]))
    assert "rename the parameter" in problems["$.parameters[0].name"]
    assert VALUES_KEY in problems["$.parameters[0].name"]


def test_any_type_may_have_a_stored_default() -> None:
    default = {"key": "k", "serialization_type": "table", "sha256": SHA256}
    assert (
        problems_of(native_document(parameters=[{"name": "threshold", "type": "table", "default": default}]))
        == {}
    )


def with_code(**fields: Any) -> Any:
    document = native_document()
    document["operators"][1]["code"].update(fields)
    return document


@pytest.mark.parametrize(
    "line",
    [
        "pandas",
        "pandas[excel]>=2,<3; python_version < '3.12'",
        "a @ https://example.org/a.whl",
    ],
)
def test_requirements(line: str) -> None:
    assert problems_of(with_code(requirements=[line])) == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-r other.txt", "put the lines of that file here"),
        (" --index-url https://user:hunter2@example.org", "the index that packages come from is set"),
        ("-e .", "names a folder of this machine"),
        ("numpy==1 --hash=sha256:aa", "uv export --no-hashes"),
        ("pandas==", "is not a requirement"),
        ("git+https://user:hunter2@example.org/a", "has no name"),
        ("# pandas", "is a comment"),
        ("./wheel.whl", "is on no worker"),
        ("a @ file:///a.whl", "is on no worker"),
    ],
)
def test_requirements_that_cannot_be_used_are_not_repeated(line: str, message: str) -> None:
    problems = problems_of(with_code(requirements=["numpy", line]))
    assert message in problems["$.operators[1].code.requirements[1]"]
    assert "hunter2" not in str(problems)


def test_requirements_that_contradict_each_other() -> None:
    problems = problems_of(with_code(requirements=["numpy==1", "rich", "NumPy==2"]))
    assert problems == {
        "$.operators[1].code.requirements[2]": "no version of numpy fulfils this; contradicts "
        "$.operators[1].code.requirements[0]; keep one of them"
    }
    lines = ["numpy==1; python_version < '3.11'", "numpy==2"]
    assert problems_of(with_code(requirements=lines, python_version="3.11")) == {}
    assert problems_of(with_code(requirements=lines, python_version="3.10"))
    problems = problems_of(with_code(requirements=["numpy>2,<1"]))
    assert "correct its bounds" in problems["$.operators[1].code.requirements[0]"]


@pytest.mark.parametrize(
    ("text", "fits"), [("", True), ('{"a": 1}', True), ("[]", False), ("{", False), ("1", False)]
)
def test_custom_arguments_are_a_json_object(text: str, fits: bool) -> None:
    problems = problems_of(with_code(custom_args=text))
    assert list(problems) == ([] if fits else ["$.operators[1].code.custom_args"])


@pytest.mark.parametrize(
    ("file", "fits"),
    [("model.py", True), ("src/model.py", True), ("../model.py", False), ("/model.py", False)],
)
def test_the_entry_file_lies_in_the_archive(file: str, fits: bool) -> None:
    problems = problems_of(with_code(entry_file=file))
    assert list(problems) == ([] if fits else ["$.operators[1].code.entry_file"])


@pytest.mark.parametrize(
    ("kind", "format_", "fits"), [("table", None, False), ("table", "CSV", True), ("json", None, True)]
)
def test_tables_in_files_need_a_format(kind: str, format_: str | None, fits: bool) -> None:
    document = native_document()
    file = {"connector": "S3", "filepath": "a", "format": format_}
    document["artifacts"].append({"id": "read-value", "name": "read", "type": kind})
    document["operators"] += [
        operator("read", "extract", source={**file, "artifact_type": kind}),
        {**operator("save", "load", inputs=["read"], target=file), "outputs": []},
    ]
    paths = ["$.operators[7].source.format", "$.operators[8].target.format"]
    assert list(problems_of(document)) == ([] if fits else paths)
