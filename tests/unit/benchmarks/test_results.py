from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.results import BEGIN, END, README, commit_of, row, table, updated

ORDER = ("first", "second")
EMPTY = f"Before.\n{BEGIN}\n\nprose\n\n{END}\nAfter.\n"


def figure(result: str) -> Figure:
    return Figure("what it is", "1 s", "", result, "at most 2", reached=True)


def test_rows_that_were_not_measured_keep_their_figures_and_their_commit() -> None:
    second = updated(
        EMPTY, [row("second", figure("old"), "aaa"), row("second", figure("b"), "aaa")], "here", ORDER
    )
    both = updated(second, [row("first", figure("c"), "bbb-dirty")], "there", ORDER)
    lines = both.splitlines()
    assert lines[0] == "Before."
    assert lines[-1] == "After."
    assert [line for line in lines if line.startswith("- ")] == ["- `aaa`: here", "- `bbb-dirty`: there"]
    assert [line for line in lines if line.startswith("| `")] == [
        "| `first` | what it is | 1 s |  | c | at most 2 | reached | `bbb-dirty` |",
        "| `second` | what it is | 1 s |  | old | at most 2 | reached | `aaa` |",
        "| `second` | what it is | 1 s |  | b | at most 2 | reached | `aaa` |",
    ]


def test_rows_that_were_measured_replace_all_of_their_benchmark() -> None:
    old = updated(EMPTY, [row("first", figure(name), "aaa") for name in "xy"], "here", ORDER)
    new = updated(old, [row("first", figure("z"), "bbb")], "there", ORDER)
    assert "| `bbb` |" in new
    assert "`aaa`" not in new, "neither the rows nor where they were measured"
    assert updated(new, [row("first", figure("z"), "bbb")], "there", ORDER) == new


def test_rows_of_benchmarks_that_are_gone_are_dropped() -> None:
    old = updated(EMPTY, [row("gone", figure("x"), "aaa")], "here", (*ORDER, "gone"))
    assert "gone" not in updated(old, [row("first", figure("y"), "bbb")], "there", ORDER)


def test_the_readme_of_this_repository_can_be_read_and_written() -> None:
    text = README.read_text(encoding="utf-8")
    names = list(
        dict.fromkeys(
            line.split("`")[1] for line in text.partition(BEGIN)[2].splitlines() if line[:3] == "| `"
        )
    )
    assert updated(text, [], "", names) == text


def test_a_cell_cannot_end_its_column() -> None:
    assert " a / b " in table([row("first", figure("a | b"), "aaa")])


def test_the_commit_says_when_the_tree_has_changed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        names = ["-c", "user.name=n", "-c", "user.email=n@example.com"]
        subprocess.run(["git", "-C", str(tmp_path), *names, *arguments], check=True, capture_output=True)

    assert commit_of(tmp_path) == "unknown"
    (tmp_path / "benchmarks").mkdir()
    readme = tmp_path / "benchmarks" / "README.md"
    readme.write_text("old")
    git("init")
    git("add", ".")
    git("commit", "-m", "all")
    clean = commit_of(tmp_path)
    assert clean.isalnum()
    readme.write_text("rows of another benchmark")
    assert commit_of(tmp_path / "benchmarks") == clean
    (tmp_path / "new.py").touch()
    assert commit_of(tmp_path) == f"{clean}-dirty"
    assert commit_of(tmp_path / "benchmarks") == f"{clean}-dirty"
