"""Problems for people."""

from __future__ import annotations

import pytest

from aqueduct_provider.cli.problems import print_verdict, printable
from aqueduct_provider.errors import Problem
from aqueduct_provider.sdk.console import console


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe 😀 'a b'", "größe 😀 'a b'"),
        ("\x1b[2Ja", "\\x1b[2Ja"),
        ("a\nb\u202e", "a\\nb\\u202e"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_steers_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = Problem("$", "rather [bold]odd"), Problem("line 3, task '\x1b'", "wrong")
    print_verdict(console(), "a.json", (), [good, Problem("$.x", "odd")])
    print_verdict(console(), "x" * 200, [bad, Problem("", "no place")])
    assert capsys.readouterr().out.splitlines() == [
        "ok    a.json",
        "  warning: rather [bold]odd",
        "  warning $.x: odd",
        f"error {'x' * 200}",
        "  line 3, task '\\x1b': wrong",
        "  no place",
    ]
