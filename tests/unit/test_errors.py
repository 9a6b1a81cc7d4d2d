from __future__ import annotations

import pickle
import re

import pytest

from aqueduct_provider import errors


def kinds(base: type[errors.AqueductError] = errors.AqueductError) -> list[type[errors.AqueductError]]:
    return [base, *(kind for sub in base.__subclasses__() for kind in kinds(sub))]


def sample(kind: type[errors.AqueductError]) -> errors.AqueductError:
    if issubclass(kind, errors.SpecError):
        return kind("churn.json", [errors.Problem("$.a", "bad"), errors.Problem("$.b", "worse")])
    if issubclass(kind, errors.OperatorFailed):
        return kind("it failed", context="Traceback", deterministic=True)
    if issubclass(kind, errors.AirflowRefused):
        return kind("Airflow refuses this", status=409)
    return kind("what, where and how to mend it")


def raised(error: errors.AqueductError) -> errors.AqueductError:
    try:
        try:
            raise KeyError("cause")
        except KeyError as cause:
            raise error from cause
    except errors.AqueductError as caught:
        return caught


@pytest.mark.parametrize("kind", kinds())
def test_every_error_pickles_with_its_message_and_fields(kind: type[errors.AqueductError]) -> None:
    for error in (sample(kind), raised(sample(kind))):
        copied = pickle.loads(pickle.dumps(error))
        assert type(copied) is kind
        assert str(copied) == str(error) != ""
        fields = {name: value for name, value in vars(error).items() if not name.startswith("__")}
        assert {name: vars(copied).get(name) for name in fields} == fields
        assert (copied.fault, copied.retryable) == (kind.fault, kind.retryable)
        assert errors.is_retryable(copied) == errors.is_retryable(error)


def test_the_tree_of_errors_is_drawn_complete() -> None:
    drawn = set(re.findall(r"(?:\|--|`--) (\w+)", errors.__doc__ or ""))
    assert drawn == {kind.__name__ for kind in kinds()[1:]}


def test_a_spec_error_shows_each_problem_with_its_path() -> None:
    one = errors.SpecError("churn.json", [errors.Problem("$.a", "bad")])
    assert str(one) == "churn.json has 1 problem: $.a: bad"
    two = errors.SpecError("churn.json", [*one.problems, errors.Problem("$.b", "worse")])
    assert str(two) == "churn.json has 2 problems:\n  $.a: bad\n  $.b: worse"


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (ValueError("not ours"), True),
        (errors.StorageUnavailable("down"), True),
        (errors.AccessDenied("no"), False),
        (errors.OperatorFailed("it raised"), True),
        (errors.OperatorFailed("a wrong type", deterministic=True), False),
        (errors.CheckFailed("false"), False),
        (errors.OperatorCrashed("killed"), True),
    ],
)
def test_only_what_another_try_can_help_is_tried_again(error: Exception, retryable: bool) -> None:
    assert errors.is_retryable(error) is retryable


def test_an_unforeseen_error_is_told_without_its_message() -> None:
    try:
        int("planted-secret")
    except ValueError as error:
        told = errors.unforeseen(error)
    assert told.startswith("ValueError in test_errors.py, line ")
    assert "planted" not in told


def test_a_hint_ends_the_message_in_the_words_of_its_reader() -> None:
    hint = errors.Hint.worded("Do it again with {}.", "force=True", "--force")
    error = pickle.loads(pickle.dumps(errors.NotFound("It is gone.", hint=hint)))
    assert str(error) == "It is gone. Do it again with force=True."
    assert error.for_terminal() == "It is gone. Do it again with --force."
    plain = errors.NotFound("It is gone.")
    assert str(plain) == plain.for_terminal() == "It is gone."
    spec = errors.SpecError("a.json", [errors.Problem("$", "odd")])
    assert spec.for_terminal() == "a.json has 1 problem: $: odd"
