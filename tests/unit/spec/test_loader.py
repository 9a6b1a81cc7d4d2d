"""The door: which dialect, files that cannot be read, and that nothing but SpecError comes out of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqueduct_provider.errors import Problem, SpecError
from aqueduct_provider.spec.document import MAX_BYTES
from aqueduct_provider.spec.graph import order
from aqueduct_provider.spec.loader import load, parse
from aqueduct_provider.spec.validation import MAX_PROBLEMS
from tests.support.example_specs import (
    POSTGRES_EXTRACT,
    POSTGRES_LOAD,
    compiled_document,
    extract_task,
    load_task,
    native_document,
    operator,
)


def failure_of(document: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        parse(json.dumps(document).encode(), "churn.json")
    return caught.value


def paths_of(document: Any) -> list[str]:
    return [problem.path for problem in failure_of(document).problems]


# --- dialects


def test_both_dialects_become_the_same_graph() -> None:
    native = parse(json.dumps(native_document()).encode(), "n.json")
    compiled = parse(json.dumps(compiled_document()).encode(), "c.json")
    assert [op.task_id for op in native.operators] == [op.task_id for op in compiled.operators]
    assert [op.type for op in native.operators] == [op.type for op in compiled.operators]
    assert native.compiled is None
    assert compiled.compiled is not None


@pytest.mark.parametrize("document", [{}, {"type": "other"}, {"type": ["compile_airflow"]}, {"dag_id": "x"}])
def test_what_is_of_neither_dialect_learns_of_both(document: Any) -> None:
    message = str(failure_of(document))
    assert '"spec_version": 1' in message
    assert '"type": "compile_airflow"' in message


@pytest.mark.parametrize("document", [[], "text", 5, None, True])
def test_a_spec_is_an_object(document: Any) -> None:
    assert "a spec is a JSON object" in str(failure_of(document))


@pytest.mark.parametrize("version", [0, 2, "1", True, 1.0, None, [1]])
def test_other_versions_are_told_which_is_supported(version: Any) -> None:
    error = failure_of(native_document(spec_version=version, other_field=1))
    assert [problem.path for problem in error.problems] == ["$.spec_version"]
    assert "reads version 1 only" in str(error)


# --- all problems at once


def test_the_message_for_people() -> None:
    document: Any = native_document()
    document["operators"][0]["retrys"] = 3
    assert str(failure_of(document)) == (
        "churn.json has 1 problem: $.operators[0].retrys: unknown field, did you mean 'retries'?"
    )


def test_problems_of_text_shape_graph_and_rules_come_together() -> None:
    document: Any = native_document()
    document["operators"][1]["retrys"] = 3
    document["operators"][2]["after"] = ["accuracy"]
    document["schedule"]["cron"] = "never"
    document["version"]["created_at"] = "yesterday"
    text = json.dumps(document)[:-1] + ', "dag_id": "churn"}'
    with pytest.raises(SpecError) as caught:
        parse(text.encode(), "churn.json")
    assert [problem.path for problem in caught.value.problems] == [
        "$.dag_id",
        "$.version.created_at",
        "$.operators[1].retrys",
        "$.operators[2]",
        "$.schedule.cron",
    ]


def test_text_that_pydantic_cannot_read_is_reported_once_at_its_path() -> None:
    text = json.dumps(native_document(dag_id="\ud800"))
    with pytest.raises(SpecError) as caught:
        parse(text.encode(), "churn.json")
    assert [problem.path for problem in caught.value.problems] == ["$.dag_id"]


def test_nesting_that_only_pydantic_refuses() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    document = native_document(parameters=[{"name": "threshold", "type": "list", "default": {"value": deep}}])
    assert "too deeply" in str(failure_of(document))


def test_the_number_of_problems_is_bounded() -> None:
    operators = [operator(f"o{number}", "metric", code=None) for number in range(MAX_PROBLEMS)]
    error = failure_of(native_document(operators=operators, **{f"f{number}": 1 for number in range(10)}))
    assert len(error.problems) <= MAX_PROBLEMS + 1
    chain = [
        {**operator(f"o{number}", "param", parameter="x"), "outputs": []} for number in range(MAX_PROBLEMS)
    ]
    error = failure_of(native_document(operators=chain))
    assert len(error.problems) == MAX_PROBLEMS


# --- files


def test_a_file_is_known_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "churn.json"
    file.write_text(json.dumps(native_document()), "utf-8")
    assert load(file).dag_id == "churn"
    file.write_text("{", "utf-8")
    with pytest.raises(SpecError, match=r"^churn\.json has 1 problem: \$: not valid JSON"):
        load(file)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe.json", tmp_path / "link.json"
    os.mkfifo(pipe)
    link.symlink_to(link)
    for file in (tmp_path, pipe, link, tmp_path / "no.json", tmp_path / "a\0b.json", tmp_path / ("x" * 300)):
        with pytest.raises(SpecError) as caught:
            load(file)
        assert [problem.path for problem in caught.value.problems] == ["$"]


def test_a_huge_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "huge.json"
    with file.open("wb") as sparse:
        sparse.truncate(MAX_BYTES * 1000)
    with pytest.raises(SpecError, match="larger than 16 MiB"):
        load(file)


# --- properties: no bytes and no document make anything but SpecError come out

_EXAMPLES: list[Any] = [
    native_document(
        operators=[
            *native_document()["operators"],
            operator(
                "read", "extract", source={"connector": "S3", "filepath": ["a"], "artifact_type": "table"}
            ),
            operator("save", "load", target={"connector": "S3", "filepath": "a"}),
            operator(
                "ask", "extract", source={"connector": "MySQL", "connection_id": "m", "queries": ["SELECT 1"]}
            ),
            operator(
                "find",
                "extract",
                source={
                    "connector": "MongoDB",
                    "connection_id": "m",
                    "collection": "c",
                    "query": {"args": [{"a": 1}], "kwargs": {"limit": 1}},
                },
            ),
            operator("fill", "load", target={"connector": "Postgres", "connection_id": "p", "table": "s.t"}),
        ],
        schedule={"type": "after_flows", "flows": ["other"]},
    ),
    native_document(),
    compiled_document(
        task_specs={
            **compiled_document()["task_specs"],
            "read": extract_task("read"),
            "save": load_task("save", inputs=["features"]),
            "ask": extract_task("ask", **POSTGRES_EXTRACT),
            "fill": load_task("fill", inputs=["features"], **POSTGRES_LOAD),
        }
    ),
]

_TEXTS = st.sampled_from(
    [
        "",
        ".",
        "a",
        "train",
        "train-content",
        "s3",
        "file",
        "table",
        "function",
        "param",
        "[",
        "0 0 * * *",
        "Europe",
        "\0",
    ]
) | st.text(max_size=5)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS | st.just(10**400)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)


def holders_in(document: Any) -> list[Any]:
    """Every object and list of the document, the outermost first."""
    found = [document]
    for node in found:
        children = node.values() if isinstance(node, dict) else node
        found += [child for child in children if isinstance(child, dict | list)]
    return found


def mutate(draw: Any, document: Any) -> None:
    """Delete, replace, repeat or insert one node."""
    holder = draw(st.sampled_from(holders_in(document)))
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    match draw(st.sampled_from(["delete", "replace", "move", "insert"])):
        case "delete" if keys:
            del holder[draw(st.sampled_from(keys))]
        case "replace" if keys:
            holder[draw(st.sampled_from(keys))] = draw(_JSON)
        case "move" if keys:
            source = draw(st.sampled_from(holders_in(document)))
            holder[draw(st.sampled_from(keys))] = json.loads(json.dumps(source))
        case _ if isinstance(holder, dict):
            holder[draw(_TEXTS)] = draw(_JSON)
        case _:
            holder.append(draw(_JSON))


@st.composite
def mutated_examples(draw: Any) -> Any:
    document = json.loads(json.dumps(draw(st.sampled_from(_EXAMPLES))))
    for _ in range(draw(st.integers(1, 3))):
        mutate(draw, document)
    return document


def check_outcome(data: bytes) -> None:
    """Either a spec, or problems that all have a path and a cure, in plain words."""
    for problem in _problems(data):
        assert problem.path.startswith("$")
        problem.path.encode()
        assert len(problem.message) > 10
        assert "Input should" not in problem.message
        assert "does not fit" not in problem.message


def _problems(data: bytes) -> tuple[Problem, ...]:
    try:
        spec = parse(data, "x.json")
    except SpecError as error:
        return error.problems
    assert sorted(order(spec)) == sorted(operator.task_id for operator in spec.operators)
    return ()


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    check_outcome(data)


@settings(max_examples=30)
@given(_JSON)
def test_no_json_breaks_it(document: Any) -> None:
    check_outcome(json.dumps(document).encode())


@given(
    st.dictionaries(_TEXTS, _JSON, max_size=4),
    st.sampled_from([{"spec_version": 1}, {"type": "compile_airflow"}]),
)
def test_no_object_of_a_dialect_breaks_it(document: Any, mark: Any) -> None:
    check_outcome(json.dumps({**document, **mark}).encode())


@settings(max_examples=200)
@given(mutated_examples())
def test_no_mutation_of_a_valid_spec_breaks_it(document: Any) -> None:
    check_outcome(json.dumps(document).encode())


@given(st.sampled_from(_EXAMPLES), st.data())
def test_no_damage_to_the_text_breaks_it(document: Any, data: Any) -> None:
    text = json.dumps(document, ensure_ascii=False).encode()
    place = data.draw(st.integers(0, len(text)))
    junk = data.draw(
        st.binary(max_size=3) | st.sampled_from([b"{", b"]", b",", b'"a":1,', b"NaN", b"\\ud800"])
    )
    check_outcome(text[:place] + junk + text[place + data.draw(st.integers(0, 3)) :])
