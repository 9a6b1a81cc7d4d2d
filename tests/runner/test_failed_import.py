"""Which import is behind a failure."""

from __future__ import annotations

import sys

import pytest

from aqueduct_provider.runner.failed_import import failed_import
from tests.runner.jobs import Job


def caught(code: str) -> BaseException:
    try:
        exec(code, {})
    except Exception as error:
        return error
    raise AssertionError(code)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import no_such.module", "no_such"),
        ("from json import no_such", "json"),
        ("raise ImportError('of its own')", "?"),
        ("try:\n    import no_such\nexcept ImportError:\n    1 / 0", "no_such"),
        ("try:\n    import no_such\nexcept ImportError as e:\n    raise ValueError() from e", "no_such"),
        ("1 / 0", ""),
        ("def f(: pass", ""),
    ],
)
def test_what_could_not_be_imported(code: str, found: str) -> None:
    assert failed_import(caught(code)) == found


def test_a_file_of_the_environment_that_is_not_python_counts() -> None:
    path = f"{sys.prefix}/lib/package.py"
    assert failed_import(SyntaxError("invalid syntax", (path, 1, 1, "x"))) == path
    assert failed_import(None) == ""


def test_an_outcome_says_it(job: Job) -> None:
    for source in ("import no_such", "def predict():\n    import no_such"):
        outcome = job.call(source).outcome
        assert outcome is not None
        assert outcome.failure is not None
        assert outcome.failure.failed_import == "no_such"
