from __future__ import annotations

import pickle

from aqueduct_provider.runner.codec_error import CodecError, describe, shortened


class Silent(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def test_an_error_is_one_line_even_when_it_cannot_say_what_it_is() -> None:
    assert describe(KeyError("a")) == "KeyError: 'a'"
    assert describe(ValueError()) == "ValueError"
    assert describe(Silent()) == "Silent: <no message: its __str__ failed>"


def test_the_error_of_codecs_can_be_pickled() -> None:
    assert str(pickle.loads(pickle.dumps(CodecError("is too large")))) == "is too large"


def test_of_a_long_text_beginning_and_end_are_kept() -> None:
    assert shortened("abcdefghij" * 3, 30) == "abcdefghij" * 3
    assert shortened("abcdefghij" * 3 + "!", 30) == "abcdefghijabcde ... bcdefghij!"
