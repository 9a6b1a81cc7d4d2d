from __future__ import annotations

import io
import pickle
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from aqueduct_provider.sdk.packaging.class_identity import give_identity, without_identity
from aqueduct_provider.sdk.packaging.local_modules import pickled_by_value
from aqueduct_provider.sdk.packaging.pickling import pickled

T = typing.TypeVar("T")


class Model:
    size = 3


def fit() -> Any:
    return Model()


def check(value: Any) -> bool:
    return isinstance(value, Model)


def factory(number: int) -> Any:
    class Local:
        value = number

    return Local


LOAD = """
import pickle, sys
fit, check, parameter = (pickle.loads(bytes.fromhex(text)) for text in sys.argv[1:])
print(check(fit()), check(parameter), check(object()))
"""


def identity(cls: Any) -> str:
    """How unpicklers will know the class."""
    pickled(cls)
    found: str = cloudpickle.cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS[cls]
    return found


def test_a_class_of_two_functions_and_of_a_value_is_one_class_elsewhere() -> None:
    with pickled_by_value([__name__]):
        functions = [pickled(function, [__name__]).data.hex() for function in (fit, check)]
        # Pickled by anybody else, such as the codecs.
        functions.append(cloudpickle.dumps(Model()).hex())
    printed = subprocess.check_output([sys.executable, "-I", "-c", LOAD, *functions], text=True)
    assert printed == "True True False\n"


def test_classes_that_a_function_makes_differ_by_what_is_in_them() -> None:
    one, two = factory(1), factory(2)
    assert identity(one) != identity(two)
    assert identity(one) == identity(factory(1)) == identity(one)
    first, second = pickle.loads(pickled((one, two)).data)
    assert (first.value, second.value) == (1, 2)


def test_a_class_that_is_defined_anew_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    found = []
    for text in ("class Model: size = 1", "class Model: size = 2", "class Model: size = 1"):
        folder = tmp_path / str(len(found))
        folder.mkdir()
        (folder / "renewed.py").write_text(text)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, "renewed", raising=False)
        module = __import__("renewed")
        with pickled_by_value(["renewed"]):
            found.append(identity(module.Model))
    assert found[0] == found[2] != found[1]


def test_classes_that_refer_to_each_other_and_to_themselves() -> None:
    class One:
        def other(self) -> Any:
            return Two, __class__  # type: ignore[name-defined]

    class Two:
        def other(self) -> Any:
            return One

    one = pickle.loads(pickled(One).data)
    assert one().other()[1] is one
    assert identity(One) != identity(Two)


def test_without_source_text_the_content_counts() -> None:
    def executed(text: str) -> Any:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(text, namespace)
        return namespace["Model"]

    assert identity(executed("class Model: size = 1")) == identity(executed("class Model: size = 1"))
    assert identity(executed("class Model: size = 1")) != identity(executed("class Model: size = 2"))


def test_type_variables_have_one_too() -> None:
    with pickled_by_value([__name__]):
        assert pickled(T, [__name__]).data == pickled(T, [__name__]).data
        assert identity(T).startswith("aqueduct-")


def test_what_travels_by_reference_is_left_alone() -> None:
    assert give_identity(Path, NotImplemented, lambda _: b"") is NotImplemented
    assert without_identity(Path, (Path, ("a",))) == (Path, ("a",))


def test_a_class_whose_content_cannot_be_pickled_keeps_its_random_id() -> None:
    def fail(_: object) -> bytes:
        raise pickle.PicklingError("no")

    cls = factory(3)
    reduced = cloudpickle.Pickler(io.BytesIO()).reducer_override(cls)
    assert give_identity(cls, reduced, fail) is reduced
