from __future__ import annotations

import pytest

from aqueduct_provider.runner.tracebacks import full_traceback, user_traceback


class Unformattable(Exception):
    @property
    def __cause__(self) -> BaseException:
        raise RuntimeError("no")


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as exc:
        return exc


def test_errors_that_cannot_be_formatted_still_give_a_line() -> None:
    assert full_traceback(raised(Unformattable())) == (
        "Unformattable (its traceback cannot be formatted: RuntimeError)\n"
    )


def test_a_cycle_of_errors_ends() -> None:
    first, second = raised(ValueError("a")), raised(ValueError("b"))
    first.__context__, second.__context__ = second, first
    assert "ValueError: a" in user_traceback(first)


def test_frames_of_others_are_kept() -> None:
    assert "in raised" in user_traceback(raised(ValueError("a")))


def test_frames_of_a_file_that_calls_itself_plumbing_are_left_out() -> None:
    wrapper: dict[str, object] = {"AQUEDUCT_PLUMBING": True, "raised": raising}
    exec("def predict():\n    return raised(ValueError('a'))", wrapper)
    with pytest.raises(ValueError, match="a") as caught:
        wrapper["predict"]()  # type: ignore[operator]
    # Without the frame of this test.
    told = user_traceback(caught.value.with_traceback(caught.tb.tb_next))
    assert "predict" not in told
    assert "in raising" in told


def raising(error: BaseException) -> None:
    raise error
