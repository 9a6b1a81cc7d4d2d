from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.runner.codec_error import CodecError, CodeRefused
from aqueduct_provider.runner.pickles import (
    data_only,
    dump_exact,
    dump_pickle,
    is_container,
    is_data_only,
    pack_elements,
    unpack_elements,
    unpickle,
)


def test_a_container_holds_each_element_in_its_own_encoding() -> None:
    data = pack_elements((1, "x"), lambda item: (type(item).__name__, str(item).encode()))
    container = unpickle(data)
    assert is_container(container)
    assert container == {
        "aqueduct_serialization_types": ["int", "str"],
        "data": [b"1", b"x"],
        "is_tuple": True,
    }
    assert unpack_elements(container, {"int": int, "str": bytes.decode}) == (1, "x")


def test_what_is_not_a_container_stays_as_it_is() -> None:
    assert unpack_elements({"data": []}, {}) == {"data": []}
    assert unpack_elements([1], {}) == [1]


def test_functions_are_pickled_by_value() -> None:
    assert unpickle(dump_pickle(lambda x: x + 1))(1) == 2


def test_classes_of_the_original_need_no_package() -> None:
    data = b"caqueduct.constants.enums\nSerializationType\n(S'string'\ntR."
    assert unpickle(data) == "string"
    assert pickle.loads(pickle.dumps(unpickle(data))) == "string"


class TwoArguments(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@pytest.mark.parametrize("value", [memoryview(b"abc"), {"a": [memoryview(b"abc")]}])
def test_a_view_of_memory_is_refused_wherever_it_is(value: Any) -> None:
    with pytest.raises(CodecError, match=r"memoryview of 3 bytes.*return bytes\(view\)"):
        dump_exact(value)


def test_an_open_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("x")
    with path.open() as file, pytest.raises(CodecError, match=r"open file.*file\.read\(\)"):
        dump_exact([file])


def test_streams_of_the_process_are_referred_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert unpickle(dump_exact([file]))[0] is file


def test_what_cannot_be_read_again_is_refused_when_it_is_written() -> None:
    with pytest.raises(CodecError, match=r"TwoArguments that can be pickled, but not read again.*__reduce__"):
        dump_exact(TwoArguments(1, "x"))
    assert str(unpickle(dump_exact(ValueError("x")))) == "x"


def test_large_pickles_are_not_tried() -> None:
    # A class of its own: Exception keeps what it was given.
    error = TwoArguments(1, "x" * (1 << 20))
    assert dump_exact(error) == dump_pickle(error)


def test_where_only_data_is_read_pickles_are_refused() -> None:
    data = dump_pickle({1})
    with data_only():
        with pytest.raises(CodeRefused, match="holds a pickle, which can run code when it is read"):
            unpickle(data)
        with data_only(), pytest.raises(CodeRefused):
            unpickle(data)
        assert is_data_only()
    assert unpickle(data) == {1}
