from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from aqueduct_provider.sdk.display.graph_svg import NO_STATUS_COLOUR, STATUS_COLOURS, flow_svg
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import call_operator, native_document

SVG = "{http://www.w3.org/2000/svg}"


def spec(**fields: Any) -> WorkflowSpec:
    return parse(json.dumps(native_document(**fields)).encode(), "churn")


def one(name: str, /, *inputs: str, **fields: Any) -> dict[str, Any]:
    """An operator with one output, in a graph that is made by hand."""
    ids = {"inputs": list(inputs), "outputs": [name]}
    return {**call_operator(name, inputs=[]), **ids, **fields}


def graph(*operators: dict[str, Any]) -> WorkflowSpec:
    outputs = [output for item in operators for output in item["outputs"]]
    artifacts = [{"id": output, "name": f"{output} value"} for output in outputs]
    return spec(operators=list(operators), artifacts=artifacts, parameters=[])


def parsed(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    return root


def titles(text: str) -> list[str]:
    return [element.text or "" for element in parsed(text).iter(f"{SVG}title")]


def box(text: str, name: str) -> ElementTree.Element:
    """The group of the operator whose title begins with ``name``."""
    for group in parsed(text).iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is not None and group.find(f"{SVG}text") is not None and (title.text or "").startswith(name):
            return group
    raise AssertionError(f"no box {name!r}")


def shape(text: str, name: str) -> ElementTree.Element:
    return next(child for child in box(text, name) if child.tag in (f"{SVG}rect", f"{SVG}path"))


def test_shows_every_operator_and_every_artifact_between_them() -> None:
    example = spec()
    shown = titles(flow_svg(example))
    for item in example.operators:
        assert f"{item.name} ({item.type.replace('_', ' ')})" in shown
    read = {example.artifact(artifact).name for item in example.operators for artifact in item.inputs}
    assert read
    assert read <= set(shown)


def test_scales_and_takes_the_colours_of_the_page() -> None:
    text = flow_svg(spec())
    root = parsed(text)
    width, height = root.attrib["viewBox"].split()[2:]
    assert int(width) > int(height) > 0
    assert "max-width:100%" in root.attrib["style"]
    assert root.attrib["fill"] == "currentColor"
    assert "background" not in text
    assert " id=" not in text


def test_each_kind_has_a_shape_or_colour_of_its_own() -> None:
    example = spec()
    text = flow_svg(example)
    looks = {}
    for item in example.operators:
        attributes = dict(shape(text, item.name).attrib)
        looks[item.type] = tuple(attributes.get(key) for key in ("rx", "d", "stroke", "stroke-dasharray"))
    assert {"param", "function", "metric", "check", "system_metric"} <= looks.keys()
    assert len(set(looks.values())) == len(looks)


def test_kinds_that_move_data_are_shown_and_waiting_is_dashed() -> None:
    source = {"connector": "S3", "filepath": "a.csv", "artifact_type": "table", "format": "CSV"}
    read = {"id": "r", "task_id": "r", "name": "read", "type": "extract", "outputs": ["a"], "source": source}
    target = {"connector": "S3", "filepath": "b.csv", "format": "CSV"}
    save = {"id": "s", "task_id": "s", "name": "save", "type": "load", "inputs": ["a"], "outputs": []}
    text = flow_svg(graph(read, {**save, "target": target}, one("notify", after=["s"])))
    assert {"read (extract)", "save (load)", "a value", "runs after"} <= set(titles(text))
    assert text.count("stroke-dasharray") == 1


def test_statuses_colour_the_boxes_and_stand_in_words() -> None:
    example = graph(one("a"), one("b", "a"), one("c", "b"), one("d", "c"))
    text = flow_svg(example, {"a": "succeeded", "b": "failed", "c": "pending"})
    assert [shape(text, name).attrib["stroke"] for name in "abcd"] == [
        STATUS_COLOURS["succeeded"],
        STATUS_COLOURS["failed"],
        NO_STATUS_COLOUR,
        NO_STATUS_COLOUR,
    ]
    assert "b (function · failed)" in titles(text)
    assert "d (function)" in titles(text)
    assert len({shape(flow_svg(example), name).attrib["stroke"] for name in "abcd"}) == 1


def test_names_of_users_are_texts() -> None:
    evil = "<script>alert('x')</script> & \"y\" \x08\x1b"
    text = flow_svg(graph(one("a", name=evil)))
    assert "<script" not in text
    assert titles(text) == ["<script>alert('x')</script> & \"y\" \ufffd\ufffd (function)"]
    flow = {**native_document()["flow"], "name": evil}
    assert "<script" not in flow_svg(spec(flow=flow))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x" * 22, "x" * 22),
        ("x" * 23, "x" * 21 + "…"),
        ("y" * 4_000, "y" * 21 + "…"),
        ("名" * 11, "名" * 11),
        ("名" * 12, "名" * 10 + "…"),
        ("a\nb   c", "a b c"),
    ],
)
def test_long_names_are_cut_and_stand_in_full_in_the_title(name: str, shown: str) -> None:
    text = flow_svg(graph(one("a", name=name)))
    assert (box(text, name).findtext(f"{SVG}text"), titles(text)) == (shown, [f"{name} (function)"])


def test_several_artifacts_between_two_operators_are_one_line() -> None:
    text = flow_svg(graph(one("a", outputs=["x", "y"]), one("b", "y", "x", "x", outputs=[])))
    assert "y value, x value" in titles(text)


def test_three_hundred_operators_are_no_trouble() -> None:
    chain = [one("n0"), *(one(f"n{i}", f"n{i - 1}", "n0") for i in range(1, 300))]
    example = graph(*chain)
    text = flow_svg(example)
    assert len(list(parsed(text).iter(f"{SVG}text"))) == 600
    assert text == flow_svg(example)


def test_boxes_that_lead_somewhere() -> None:
    text = flow_svg(graph(one("a"), one("b", "a")), None, {"a": '/x?y=1&z="<'}, css_class="picture")
    root = parsed(text)
    (link,) = root.iter(f"{SVG}a")
    assert link.get("href") == '/x?y=1&z="<'
    assert [element.text for element in link.iter(f"{SVG}text")] == ["a", "function"]
    # Pages with a strict policy have no style of their own; links inside of a picture cannot be reached.
    assert (root.get("class"), root.get("style"), root.get("role")) == ("picture", None, "group")
    assert parsed(flow_svg(graph(one("a")))).get("role") == "img"
