"""What differs between two versions: flows that are composed for real, and generated specs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk.authoring.artifacts import artifact_for
from aqueduct_provider.sdk.authoring.parameters import parameter_node
from aqueduct_provider.sdk.versions.differences import Change, OperatorChange
from aqueduct_provider.sdk.versions.flow_diff import flow_diff
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.composed_flows import ComposedFlows
from tests.support.example_specs import compiled_document, native_document


@pytest.fixture
def flows(tmp_path: Path) -> ComposedFlows:
    return ComposedFlows(tmp_path)


def param(name: str, default: Any, description: str = "") -> Any:
    return artifact_for(parameter_node(name, default, description, implicit=False))


def other_features(rows: int) -> int:
    return rows + 2


def longer_features(rows: int) -> int:
    more = 1
    return rows + more


@aq.metric(requirements=[])
def size(features: int) -> int:
    return features


def operator(call: Callable[..., Any], *requirements: str, name: str = "features", **options: Any) -> Any:
    return aq.op(name, requirements=[*requirements], **options)(call)


FEATURES = operator(other_features, "pandas==2.0")


def test_the_same_flow_differs_in_nothing(flows: ComposedFlows) -> None:
    first, second = (flows.compose(FEATURES.lazy(param("rows", 3))) for _ in range(2))
    assert first.version.id != second.version.id
    diff = flows.diff(first, second)
    assert diff.is_empty
    assert diff.summary() == []
    assert repr(diff) == "<FlowDiff v1 -> v2: nothing differs>"


def test_source_and_requirements(flows: ComposedFlows) -> None:
    old = flows.compose(FEATURES.lazy(param("rows", 3)))
    changed = operator(longer_features, "Pandas==2.1", "polars", retries=2)
    diff = flows.diff(old, flows.compose(changed.lazy(param("rows", 3))))
    (change,) = diff.changed
    assert change.name == "features"
    assert change.code_changed
    assert change.source == (
        "--- features.py  v1\n"
        "+++ features.py  v2\n"
        "@@ -1,2 +1,3 @@\n"
        "-def other_features(rows: int) -> int:\n"
        "-    return rows + 2\n"
        "+def longer_features(rows: int) -> int:\n"
        "+    more = 1\n"
        "+    return rows + more\n"
    )
    assert change.requirements == (
        Change("pandas", "pandas==2.0", "Pandas==2.1"),
        Change("polars", None, "polars"),
    )
    assert change.options == (Change("retries", None, 2),)
    # The text does not tell whether only it changed.
    assert "model.pkl (the pickled function" in change.note
    assert diff.summary() == ["changed features"]


def test_code_that_changed_behind_its_text(flows: ComposedFlows) -> None:
    def made(amount: int) -> Any:
        def adds(rows: int) -> int:
            return rows + amount

        return operator(adds).lazy(param("rows", 3))

    (change,) = flows.diff(flows.compose(made(1)), flows.compose(made(2))).changed
    assert (change.source, change.requirements, change.code_changed) == ("", (), True)
    assert change.note.startswith("Its code changed, but not its text: by their bytes, these differ")
    assert "model.pkl (the pickled function, with the values" in change.note


def test_code_that_cannot_be_read(flows: ComposedFlows) -> None:
    old = flows.compose(FEATURES.lazy(param("rows", 3)))
    new = flows.compose(operator(longer_features).lazy(param("rows", 3)))
    flows.store.delete(list(flows.store.list("functions/")))
    (change,) = flows.diff(old, new).changed
    assert (change.source, change.code_changed) == ("", True)
    assert "functions/" in change.note


def test_operators_and_edges(flows: ComposedFlows) -> None:
    table = FEATURES.lazy(param("rows", 3))
    old = flows.compose(table)
    table = FEATURES.lazy(param("rows", 3))
    new = flows.compose(table, size.lazy(table))
    diff = flows.diff(old, new)
    assert (diff.added, diff.removed, diff.changed) == (("size",), (), ())
    (code,) = diff.added_code
    assert (code.name, code.note) == ("size", "")
    assert code.source == (
        "--- size.py  v1\n+++ size.py  v2\n@@ -0,0 +1,3 @@\n"
        "+@aq.metric(requirements=[])\n+def size(features: int) -> int:\n+    return features\n"
    )
    assert code.source in str(diff) + "\n"
    assert diff.to_json()["added_code"][0]["source"] == code.source
    back = flows.diff(new, old)
    assert back.added_code == ()
    assert "-    return features\n" in back.removed_code[0].source
    assert "-    return features" in str(back)
    assert diff.edges == (Change("features -> size", None, "features artifact as input 1"),)
    assert diff.artifacts == (Change("size artifact", None, {"type": "numeric", "keep_snapshot": True}),)
    assert diff.summary() == ["added size"]


def test_inputs_that_change_places(flows: ComposedFlows) -> None:
    def flow(swap: bool) -> WorkflowSpec:
        inputs = [param("a", 1), param("b", 2)]
        both = operator(lambda first, second: first - second, name="both")
        return flows.compose(both.lazy(*(inputs[::-1] if swap else inputs)))

    diff = flows.diff(flow(swap=False), flow(swap=True))
    assert set(diff.edges) == {
        Change("a -> both", "a as input 1", "a as input 2"),
        Change("b -> both", "b as input 2", "b as input 1"),
    }
    assert diff.summary() == ["changed the edges"]


def test_parameters_schedule_and_settings(flows: ComposedFlows) -> None:
    old = flows.compose(FEATURES.lazy(param("rows", 3)), schedule="@daily", description="Counts.")
    new = flows.compose(
        FEATURES.lazy(param("rows", 4, "how many")), k_latest_runs=2, tags=("mine",), schedule="@hourly"
    )
    diff = flows.diff(old, new)
    before, after = (
        {"type": "numeric", "default": n, "description": text} for n, text in ((3, ""), (4, "how many"))
    )
    assert diff.parameters == (Change("rows", before, after),)
    cron = {"type": "cron", "timezone": "UTC"}
    assert diff.schedule == Change("schedule", {**cron, "cron": "@daily"}, {**cron, "cron": "@hourly"})
    assert {one.name: (one.before, one.after) for one in diff.settings} == {
        "description": ("Counts.", ""),
        "tags": ([], ["mine"]),
        "retention": ({"k_latest_runs": None}, {"k_latest_runs": 2}),
    }
    assert diff.summary() == [
        # The operator of a parameter is described as it is.
        "changed rows",
        "changed the parameters rows",
        "changed the schedule",
        "changed the description",
        "changed the tags",
        "changed the retention",
    ]


def test_defaults_that_json_cannot_hold_are_compared_by_digest(flows: ComposedFlows) -> None:
    old, new = (flows.compose(FEATURES.lazy(param("rows", {1, last}))) for last in (2, 3))
    (change,) = flows.diff(old, new).parameters
    assert len(change.before["default"]["sha256"]) == len(change.after["default"]["sha256"]) == 64


def test_json_holds_all_of_it(flows: ComposedFlows) -> None:
    old = flows.compose(FEATURES.lazy(param("rows", 3)))
    diff = flows.diff(old, flows.compose(operator(longer_features).lazy(param("rows", 4))))
    document = json.loads(json.dumps(diff.to_json()))
    assert (document["before"], document["after"], document["is_empty"]) == ("v1", "v2", False)
    assert document["changed"][0]["source"] == diff.changed[0].source
    assert document["parameters"][0]["after"]["default"] == 4


# --- specs


def spec(document: dict[str, Any]) -> WorkflowSpec:
    return parse(json.dumps(document).encode(), "flow.json")


def test_ids_of_compiled_specs_do_not_count() -> None:
    assert flow_diff(spec(compiled_document()), spec(compiled_document())).is_empty
    assert flow_diff(spec(compiled_document()), spec(native_document())).to_json()


def test_truth_is_not_one() -> None:
    first, second = copy.deepcopy(native_document()), copy.deepcopy(native_document())
    for document, value in ((first, 1), (second, 1.0)):
        document["parameters"][0]["default"] = {"value": value}
    # Of JSON's numbers, both are written differently.
    assert flow_diff(spec(first), spec(second)).parameters


def edits() -> st.SearchStrategy[Callable[[dict[str, Any]], Any]]:
    """Something that a user may change."""
    place = st.integers(1, 5)
    number, text = st.integers(1, 90), st.text("abc", min_size=1, max_size=3)

    def edit(where: str, what: Any, at: int) -> Callable[[dict[str, Any]], Any]:
        changes: dict[str, Callable[[dict[str, Any]], Any]] = {
            "retries": lambda d: d["operators"][at].update(retries=what),
            "description": lambda d: d["operators"][at].update(description=str(what)),
            "pool": lambda d: d["operators"][at].update(pool=str(what)),
            "flow": lambda d: d["flow"].update(description=str(what)),
            "tags": lambda d: d["flow"].update(tags=[str(what)]),
            "retention": lambda d: d.update(retention={"k_latest_runs": what}),
            "default": lambda d: d["parameters"][0].update(default={"value": what}),
            "cron": lambda d: d.update(schedule={"type": "cron", "cron": f"{what % 60} 6 * * *"}),
            "digest": lambda d: d["operators"][at]["code"].update(sha256=f"{what:064d}"),
            "kept": lambda d: d["artifacts"][at].update(keep_snapshot=False),
        }
        return changes[where]

    names = "retries description pool flow tags retention default cron digest kept".split()
    return st.builds(edit, st.sampled_from(names), number | text.map(len), place)


@given(st.lists(edits(), max_size=4), st.lists(edits(), max_size=4))
def test_it_is_empty_exactly_where_nothing_differs(first: list[Any], second: list[Any]) -> None:
    documents = [native_document(), native_document()]
    for document, changes in zip(documents, (first, second), strict=True):
        document.update(copy.deepcopy(document))
        for change in changes:
            change(document)
    old, new = (spec(document) for document in documents)
    is_same = old.model_dump() == new.model_dump()
    diff, back = flow_diff(old, new), flow_diff(new, old)
    assert diff.is_empty is back.is_empty is is_same
    assert (diff.summary() == []) is is_same
    assert {(one.name, one.before, one.after) for one in diff.settings if one.name == "description"} == {
        (one.name, one.after, one.before) for one in back.settings if one.name == "description"
    }
    assert [one.name for one in diff.changed] == [one.name for one in back.changed]
    assert flow_diff(old, old).is_empty


def test_a_change_is_what_it_says() -> None:
    document = copy.deepcopy(native_document())
    document["operators"][2]["timeout"] = 5.0
    assert flow_diff(spec(native_document()), spec(document)).changed == (
        OperatorChange("train", options=(Change("timeout", 3600.0, 5.0),)),
    )
