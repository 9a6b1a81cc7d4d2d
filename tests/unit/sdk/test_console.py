"""The terminal: columns, waiting, and no text that steers it."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest

from aqueduct_provider.sdk.console import console, plain_table, print_text, spinner, terminal_safe

ATTACK = "\x1b[2J\x1b]0;title\x1b\\\x9b1A\u202eoops\u2066\x00"
ESCAPED = r"\x1b[2J\x1b]0;title\x1b\\x9b1A\u202eoops\u2066\x00"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rich takes for a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


# --- text that is not trusted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (ATTACK, ESCAPED),
        ("\a\b\x7f", r"\x07\x08\x7f"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[8\x1b[31mm", r"\x1b[8m"),
        ("\ud800", r"\ud800"),
        ("Grüße, 日本 👩‍🔬 [bold]", "Grüße, 日本 👩‍🔬 [bold]"),
    ],
)
def test_only_what_steers_a_terminal_is_replaced(text: str, shown: str) -> None:
    assert terminal_safe(text) == shown
    assert terminal_safe(shown) == shown


def test_every_way_to_print_replaces_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_text(ATTACK)
    print_text(ATTACK, stderr=True, end="")
    out = console()
    out.print(ATTACK)
    out.print(ATTACK, style="bold")
    out.print(plain_table((ATTACK,), [(ATTACK,)]))
    with spinner(ATTACK, shown=True) as say:
        say(ATTACK)
    printed = capsys.readouterr()
    assert printed.out == f"{ESCAPED}\n" * 5
    assert printed.err == f"{ESCAPED}{ESCAPED}\n{ESCAPED}\n"


@pytest.mark.usefixtures("terminal")
def test_colours_of_our_own_pass(capsys: pytest.CaptureFixture[str]) -> None:
    console().print(ATTACK, style="red")
    assert capsys.readouterr().out == f"\x1b[31m{ESCAPED}\x1b[0m\n"


# --- columns


def test_columns_are_aligned_and_nothing_trails() -> None:
    table = plain_table(("name", "n", "note"), [("a", 10, "x"), ("longer", 2, None)], right=("n",))
    assert table.plain == "name     n  note\na       10  x\nlonger   2"


def test_wide_signs_are_aligned() -> None:
    table = plain_table(("name", "n"), [("日本", 1), ("abcd", 2)])
    assert table.plain == "name  n\n日本  1\nabcd  2"


def test_empty_columns_are_left_out() -> None:
    assert plain_table(("a", "b"), [("1", ""), ("2", None)]).plain == "a\n1\n2"


def test_without_titles_there_is_no_line_of_titles() -> None:
    assert plain_table(("", ""), [("a", "b")]).plain == "a  b"


def test_without_rows_there_are_titles() -> None:
    assert plain_table(("a", "b"), []).plain == "a  b"


def test_cells_cannot_break_the_lines() -> None:
    assert plain_table(("a",), [("x\ny\x1b[31m",)]).plain == "a\nx y"


def test_numbers_and_moments() -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    table = plain_table(("a", "b"), [(1.26, moment)])
    assert table.plain.splitlines()[1] == f"1.3  {moment.astimezone():%Y-%m-%d %H:%M:%S}"


def test_only_statuses_are_coloured() -> None:
    table = plain_table(("operator", "status"), [("failed", "failed")])
    assert [(span.start, span.style) for span in table.spans if span.style == "red"] == [(27, "red")]


def test_no_line_is_cut_and_nothing_is_markup(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{'x' * 300} [bold]y[/bold] :smile:"
    console().print(text)
    console().print(plain_table(("a",), [(text,)]))
    assert capsys.readouterr().out == f"{text}\na\n{text}\n"


# --- waiting


def without_codes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_message_where_nothing_can_move(capsys: pytest.CaptureFixture[str]) -> None:
    with spinner("Waiting [for] it", shown=True) as say:
        say("It [is] late.")
    with spinner("Not shown", shown=False) as say:
        say("Not shown either")
    assert capsys.readouterr() == ("", "Waiting [for] it\nIt [is] late.\n")


@pytest.mark.usefixtures("terminal")
def test_a_moving_sign_in_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with spinner("Waiting [for] it", shown=True) as say:
        say("It [is] late.")
    told = without_codes(capsys.readouterr().err)
    assert "Waiting [for] it" in told
    assert "It [is] late.\n" in told
