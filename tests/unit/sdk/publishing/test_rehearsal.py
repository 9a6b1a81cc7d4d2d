"""Scripts that publish flows, run without publishing them."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.publishing.rehearsal import Unpublished, current_rehearsal, rehearse

HEAD = """
import aqueduct_provider.sdk as aq

client = aq.Client()

@aq.op(requirements=["six"], outputs=["a"])
def one(x=2):
    return x + 1
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # No store, no Airflow and no configuration are known.
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "flow.py"


def write(script: Path, text: str) -> None:
    script.write_text(HEAD + dedent(text))


def test_every_publication_is_composed_and_nothing_else_happens(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        script,
        """
        import sys
        from beside import NAME

        client.connect_resource("cluster", "Airflow", {"host": "https://nowhere.invalid", "token": "t"})
        flow = client.publish_flow(NAME, artifacts=[one()], engine="cluster", run_now=True)
        run = client.trigger("first", parameters={"one:x": 3})
        run.wait(timeout=60)
        print(f"{run.artifact('a').get():.2f}", flow.name(), client.list_flows()[0]["name"], sys.argv[1:])
        for other in client.flow("first").list_runs():
            raise RuntimeError("there is none")
        client.publish_flow("second", artifacts=[one(5)], source_flow=flow)
        client.delete_flow("first", force=True)
    """,
    )
    (script.parent / "beside.py").write_text("NAME = 'first'\n")
    argv, path = list(sys.argv), list(sys.path)
    rehearsal = rehearse(script, ["2026-01-31"])
    assert [one.spec.flow.name for one in rehearsal.compositions] == ["first", "second"]
    assert rehearsal.ended_early == ""
    assert rehearsal.compositions[0].objects
    out, err = capsys.readouterr()
    assert out == ""
    assert "<not published> <not published> <not published> ['2026-01-31']" in err
    assert "'cluster' is not connected, for nothing is published." in err
    assert list(Path.cwd().iterdir()) == []
    assert not (script.parent / "home").exists()
    assert (sys.argv, sys.path, current_rehearsal()) == (argv, path, None)


def test_a_script_that_cannot_go_on_without_its_runs(script: Path) -> None:
    write(
        script,
        """
        client.publish_flow("first", artifacts=[one()])
        total = client.trigger("first").artifact("a").get() + 1
        client.publish_flow("second", artifacts=[one()])
    """,
    )
    rehearsal = rehearse(script)
    assert len(rehearsal.compositions) == 1
    assert rehearsal.ended_early.startswith(f"{script}, line 11: TypeError: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1 / 0",
            "line 9: the script failed before it published a flow: ZeroDivisionError: division by zero",
        ),
        ("raise SystemExit(3)", "line 9: the script failed before it published a flow: it exits with 3"),
        ("one()", "publishes no flow: it never calls client.publish_flow"),
        ("raise SystemExit", "publishes no flow"),
        ("client.publish_flow('f')", "A flow needs content"),
    ],
)
def test_scripts_that_publish_nothing(script: Path, text: str, message: str) -> None:
    write(script, text)
    with pytest.raises(AuthoringError, match=message):
        rehearse(script)
    assert current_rehearsal() is None


def test_no_script(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match=r"The script .* does not exist"):
        rehearse(tmp_path / "missing.py")


def test_a_script_that_ends_by_itself(script: Path) -> None:
    write(script, "client.publish_flow('f', artifacts=[one()])\nraise SystemExit(0)")
    assert rehearse(script).ended_early == ""


def test_what_stands_for_what_was_not_published() -> None:
    stand_in = Unpublished()
    assert stand_in.runs[0].artifact("x").get() is stand_in
    assert bool(stand_in)
    assert (list(stand_in), len(stand_in), str(stand_in)) == ([], 1, "<not published>")
    assert not hasattr(stand_in, "__array__")
    assert isinstance(aq.Client, type)
