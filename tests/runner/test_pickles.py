from __future__ import annotations

import pickle

from aqueduct_provider.runner.pickles import (
    dump_pickle,
    is_container,
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
