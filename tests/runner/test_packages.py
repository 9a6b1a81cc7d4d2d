"""What messages say of modules that are missing."""

from __future__ import annotations

import pytest

from aqueduct_provider.runner.packages import input_name, missing_for_input, package_of


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("sklearn.linear_model", "the package 'scikit-learn'"),
        ("polars", "the package of 'polars'"),
        ("a.b", "the package of 'a'"),
    ],
)
def test_the_package_of_a_module(module: str, name: str) -> None:
    assert package_of(module) == name


def test_what_an_input_is_called() -> None:
    assert input_name(2, "model", "train") == "Input 2 ('model', made by 'train')"
    assert input_name(2, "model", "") == "Input 2 ('model')"
    assert input_name(2, "", "") == "Input 2"


def test_a_module_that_an_input_needs() -> None:
    error = ModuleNotFoundError("No module named 'sklearn'", name="sklearn")
    assert missing_for_input("Input 1", error) == (
        "Input 1 needs the module 'sklearn' to be read, which is not installed here: add the package "
        "'scikit-learn' to the requirements of the operator that reads it."
    )
    assert missing_for_input("Input 1", ImportError("broken", name="sklearn")) is None
    assert missing_for_input("Input 1", ModuleNotFoundError("nameless")) is None
