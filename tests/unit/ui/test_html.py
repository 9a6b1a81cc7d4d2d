from __future__ import annotations

import re
from typing import Any

import pytest

from aqueduct_provider.ui.html import Page, environment, render, static_file


def test_a_template_escapes_what_it_is_given(visit: Any) -> None:
    page = render(visit(), "error.html", status=404, title="<b>", reason="<script>alert(1)</script>")
    text = page.body.decode()
    assert page.status == 404
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_page_lets_only_our_own_files_act() -> None:
    headers = Page().all_headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert Page(headers={"Cache-Control": "public"}).all_headers["Cache-Control"] == "public"


def test_no_template_has_script_or_style_of_its_own() -> None:
    made = environment()
    for name in made.list_templates():
        text = made.loader.get_source(made, name)[0]  # type: ignore[union-attr]
        assert " style=" not in text, name
        assert not re.search(r"""\son\w+\s*=\s*["']""", text), name
        assert "<style" not in text, name
        assert "|safe" not in text, name
        assert "autoescape" not in text, name


def test_links_keep_the_prefix_and_the_frame(visit: Any) -> None:
    framed = visit("/dags/a", root="/team/air/aqueduct", query={"frame": "1", "sort": "name"})
    assert framed.link("dags", "a/b", runs=5, q="") == "/team/air/aqueduct/dags/a%2Fb?runs=5&frame=1"
    assert framed.here(page=2) == "/team/air/aqueduct/dags/a?frame=1&sort=name&page=2"
    assert framed.airflow("a").startswith("/team/air/dags/a")
    assert framed.home == "/team/air/"
    plain = visit("/")
    assert plain.home == "/"
    assert plain.link() == "/aqueduct/"
    assert plain.airflow("a").startswith("/dags/a")


def test_any_name_may_be_in_a_query(visit: Any) -> None:
    there = visit("/dags/churn", query={"self": "1", "parts": "2"})
    assert there.here(runs=5) == "/aqueduct/dags/churn?self=1&parts=2&runs=5"


@pytest.mark.parametrize(
    ("text", "found"), [("7", 7), ("", 3), ("x", 3), ("0", 1), ("99", 9), ("²", 3), ("-1", 3)]
)
def test_a_number_of_the_query(visit: Any, text: str, found: int) -> None:
    assert visit(query={"page": text}).number("page", 3, 9) == found


def test_static_files(visit: Any) -> None:
    style = static_file("page.css")
    assert style.content_type.startswith("text/css")
    assert "immutable" in style.all_headers["Cache-Control"]
    assert visit().static("page.css").startswith("/aqueduct/static/page.css?v=")
    for name in ("../html.py", "page.html", "__init__.py", ""):
        assert static_file(name).status == 404
