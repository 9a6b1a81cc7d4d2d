from __future__ import annotations

import pytest

from aqueduct_provider.state.sections import SECTION_END, section_of, section_start

A, B, AB = (section_start(*names) for names in (("a", "a"), ("train it", "b"), ("ab", "ab")))


def log(*lines: str) -> str:
    return "\n".join(f"[2026-01-01T00:00:00Z] INFO - {line}" for line in lines)


def test_a_section_is_named_for_people_on_one_line() -> None:
    assert (A, B) == ("::group::a", "::group::train it (b)")
    assert section_start("two\nlines", "t") == "::group::two lines (t)"


def test_each_operator_has_its_own_part() -> None:
    text = log("head", A, "of a", SECTION_END, B, "of b", "more", SECTION_END, "tail")
    assert section_of(text, A, [B]) == log("of a")
    assert section_of(text, B, [A]) == log("of b", "more")
    assert section_of(text, AB, [A, B]) is None


def test_a_name_that_ends_like_another_is_not_it() -> None:
    text = log(AB, "of ab", SECTION_END, A, "of a", SECTION_END)
    assert section_of(text, A, [AB]) == log("of a")


def test_groups_that_the_code_prints_belong_to_it() -> None:
    text = log(
        A, "::group::its own", "1", SECTION_END, "2", SECTION_END, "::group::Airflow's", "3", SECTION_END
    )
    assert section_of(text, A, [B]) == log("::group::its own", "1", SECTION_END, "2")


def test_a_group_that_the_code_leaves_open_ends_before_the_next_operator() -> None:
    text = log(A, "::group::its own", "1", SECTION_END, B, "of b", SECTION_END)
    assert section_of(text, A, [B]) == log("::group::its own", "1", SECTION_END)
    assert section_of(text, B, [A]) == log("of b")


@pytest.mark.parametrize("lines", [(A,), (A, "of a")])
def test_a_log_that_is_cut_off_has_what_there_is(lines: tuple[str, ...]) -> None:
    assert section_of(log(*lines), A, [B]) == log(*lines[1:])
