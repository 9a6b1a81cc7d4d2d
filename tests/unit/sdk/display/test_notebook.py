from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, cast

import pandas
import pytest
from PIL import Image

from aqueduct_provider.errors import CheckFailed, StorageUnavailable
from aqueduct_provider.sdk.authoring.artifacts import Artifact, artifact_for, artifact_from
from aqueduct_provider.sdk.authoring.derived import derive
from aqueduct_provider.sdk.authoring.evaluate import compute, is_computed
from aqueduct_provider.sdk.display.graph_svg import STATUS_COLOURS
from aqueduct_provider.sdk.display.notebook import artifact_html, flow_html, run_html
from aqueduct_provider.storage.object_store import ObjectStore
from tests.support.deployment import Deployment
from tests.support.operator_nodes import param, step
from tests.unit.sdk.conftest import Finished

EVIL = "<script>alert('x')</script>&"


@dataclass
class Given:
    """A source with this value."""

    type: str
    content: Any
    id: str = "id"
    name: str = "thing"
    node: None = None
    ready: bool = True

    def value(self, parameters: Mapping[str, Any] | None) -> Any:
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


class Page(HTMLParser):
    """The tags and the text of a piece of HTML; every tag is closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag != "img":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(kind: str, value: Any, **fields: Any) -> Page:
    html = artifact_html(artifact_from(Given(kind, value, **fields)))
    assert "background" not in html
    return Page(html)


def recorded(value: Any, **fields: Any) -> Artifact:
    return artifact_for(step(lambda: value, name="make", **fields))


# --- artifacts


def test_says_what_is_not_computed_and_computes_nothing() -> None:
    artifact = artifact_for(step(lambda a, b: 1, param("rows", 3), param("<b>", 4), name="count"))
    page = Page(artifact_html(artifact))
    assert "count artifact" in page.text
    assert "untyped, made by count (function)" in page.text
    assert "not computed yet; .get() computes it, from: rows, <b>" in page.text
    assert artifact.node is not None
    assert not is_computed(artifact.node.producer)


def test_says_what_is_not_read() -> None:
    page = shown("numeric", 1, ready=False)
    assert "numeric, read from a run" in page.text
    assert "not read yet; .get() reads it" in page.text


def test_shows_what_is_computed_with_its_operator() -> None:
    artifact = recorded(0.25, kind="metric")
    artifact.get()
    assert Page(artifact_html(artifact)).text == "make artifact numeric, made by make (metric)0.25"


def test_a_parameter_and_a_system_metric() -> None:
    parameter = param("rows", 3)
    compute(parameter.producer)
    assert Page(artifact_html(artifact_for(parameter))).text == "rows numeric, a parameter3"
    measured = step(lambda rows: rows, parameter, name="f")
    runtime = derive("system_metric", "f runtime", (measured,), system_metric="runtime")
    assert "made by f runtime (system metric)" in Page(artifact_html(artifact_for(runtime))).text


def test_a_check_that_did_not_pass_is_false_and_no_error() -> None:
    artifact = recorded(False, kind="check", severity="error")
    with pytest.raises(CheckFailed):
        artifact.get()
    text = Page(artifact_html(artifact)).text
    assert "made by make (check of severity error)" in text
    assert text.endswith("FalseThe check 'make' did not pass (returned False).")


def test_tables_show_their_first_rows_and_their_shape() -> None:
    table = pandas.DataFrame({f"<c{n}>": [EVIL, *range(1, 1500)] for n in range(3)})
    page = shown("table", table)
    assert page.tags.count("tr") == 1 + 20
    assert page.text.count(EVIL) == 3
    assert "<c2>" in page.text
    assert page.text.endswith("1,500 rows x 3 columns")
    assert "script" not in page.tags


def test_wide_tables_leave_columns_out() -> None:
    page = shown("table", pandas.DataFrame({n: [1] for n in range(1000)}))
    assert page.tags.count("th") < 50
    assert "1 row x 1,000 columns" in page.text


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "CMYK", "YCbCr", "I", "F", "LA", "HSV"])
def test_images_are_inline_and_small(mode: str) -> None:
    page = artifact_html(artifact_from(Given("image", Image.new(mode, (1000, 500)))))
    assert "1000 x 500 pixels" in page
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert (image.format, image.size) == ("PNG", (400, 200))


def test_small_images_stay_as_they_are() -> None:
    image = Image.new("RGB", (30, 20), "red")
    page = artifact_html(artifact_from(Given("image", image)))
    assert "30 x 20 pixels" in page
    assert image.size == (30, 20)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("numeric", 0.93, "0.93"),
        ("boolean", True, "True"),
        ("string", f"a\n{EVIL}", f"a\n{EVIL}"),
        ("json", '{"a":[1,"é"]}', '{\n  "a": [\n    1,\n    "é"\n  ]\n}'),
        ("json", "no JSON", "no JSON"),
        ("dictionary", {"b": 1, "a": [EVIL]}, f"""{{'b': 1, 'a': ["{EVIL}"]}}"""),
        ("list", [1, {"x": (2,)}], "[1, {'x': (2,)}]"),
        ("tuple", (), "()"),
        ("bytes", b"<b>", "3 bytes"),
        ("bytes", b"", "0 bytes"),
        ("bytes", bytes(12_345), "12.3 kB"),
        ("untyped", None, "NoneTypeNone"),
        ("picklable", 3 + 4j, "complex(3+4j)"),
    ],
)
def test_other_values(kind: str, value: Any, text: str) -> None:
    page = shown(kind, value)
    assert page.text == f"thing {kind}, read from a run{text}"
    assert "script" not in page.tags


class Model:
    def __repr__(self) -> str:
        return f"<Model {'x' * 5000}>"


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("kind", "value", "end"),
    [
        ("string", "x" * 5000, "…cut; 5,000 characters"),
        ("json", '["' + "x" * 500_000, "…cut; 500,002 characters"),
        ("list", list(range(3_000_000)), "…cut; 3,000,000 items"),
        ("list", [list(range(1000))] * 1000, "…cut; 1,000 items"),
        ("dictionary", dict.fromkeys(range(100), "y" * 100_000), "…cut; 100 items"),
    ],
)
def test_long_values_are_cut(kind: str, value: Any, end: str) -> None:
    page = shown(kind, value)
    assert page.text.endswith(end)
    assert len(page.text) < 2100


def test_objects_are_named_and_cut() -> None:
    text = shown("picklable", Model()).text
    assert f"{Model.__module__}.Model<Model xxx" in text
    assert len(text) < 2200


def test_what_refers_to_itself_has_an_end() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "..." in shown("list", loop).text


def test_nothing_raises() -> None:
    assert "<Silent instance at" in shown("picklable", Silent()).text
    for kind in ("table", "image", "dictionary", "bytes", "list"):
        broken = artifact_html(artifact_from(Given(kind, Silent())))
        assert Page(broken).text.startswith("<")
    page = shown("numeric", CheckFailed(EVIL), name=EVIL)
    assert page.text.count(EVIL) == 2
    lost = artifact_html(artifact_from(Given("table", OSError(EVIL), name=EVIL)))
    assert Page(lost).text.startswith("<TableArtifact ")


# --- runs and flows


def test_a_run_that_succeeded(finished: Finished) -> None:
    html = finished.good._repr_html_()
    page = Page(html)
    assert f"churn, run {finished.good.run_id}: succeeded, created 20" in page.text
    for name in ("rows", "features", "total", "many"):
        assert page.text.count(name) > 1
    assert page.tags.count("svg") == 1
    assert page.tags.count("tr") == 1 + 4
    assert "pre" not in page.tags
    assert STATUS_COLOURS["succeeded"] in html
    assert STATUS_COLOURS["failed"] not in html


def test_a_run_that_failed_says_why(finished: Finished) -> None:
    html = run_html(finished.bad)
    page = Page(html)
    assert ": failed" in page.text
    assert "features: Error in the function: ValueError: rows must not be negative" in page.text
    assert "Traceback (most recent call last)" in page.text
    assert page.tags.count("pre") == 1
    assert STATUS_COLOURS["failed"] in html
    assert "It was not run, for an operator before it failed." in page.text


def test_a_warning_is_no_failure(made: Deployment) -> None:
    made.publish()
    html = run_html(made.run(rows=2))
    assert f'<b style="color:{STATUS_COLOURS["warning"]}">warning</b>' in html
    assert re.search(r"<b>many</b>: .*did not pass", html)


def test_without_airflow_a_run_is_told_from_the_store(made: Deployment) -> None:
    flow = made.publish()
    run = flow.fetch(made.run(rows=4).run_id)
    with made.away():
        page = Page(run_html(run))
        assert Page(flow_html(flow)).tags.count("svg") == 1
    assert "What follows is from the store alone: " in page.text
    assert "succeeded" in page.text


class Gone:
    """A store that does not answer."""

    def __getattr__(self, name: str) -> Any:
        raise StorageUnavailable("the bucket does not answer")


def test_without_airflow_and_store_nothing_raises(made: Deployment) -> None:
    made.publish()
    flow = made.client.flow("churn")
    run = flow.fetch(made.run(rows=4).run_id)
    made.session.store = cast(ObjectStore, Gone())
    del made.session.registry
    with made.away():
        for html in (flow_html(flow), run_html(run)):
            page = Page(html)
            assert page.tags == ["pre"]
            assert "churn" in page.text
            assert "the bucket does not answer" in page.text


def test_a_flow(finished: Finished) -> None:
    html = finished.flow._repr_html_()
    page = Page(html)
    assert page.text.startswith("churnCounts rows.")
    for text in (finished.flow.record.flow_id, finished.flow.record.version_id, "0 6 * * *", "how many"):
        assert text in page.text
    assert page.tags.count("svg") == 1
    assert not hasattr(finished.flow, "_repr_svg_")
