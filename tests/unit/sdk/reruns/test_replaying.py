"""What failed in a run, here: the published code and corrected functions on the inputs that the run had."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import (
    AuthoringError,
    DigestMismatch,
    IntegrityError,
    NotFound,
    OperatorFailed,
)
from tests.support.deployment import Deployment
from tests.unit.sdk.conftest import Finished, forgotten_with_requirement

# --- the published code


def test_a_failure_is_the_users_own_and_ends_in_the_users_line(
    finished: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="rows must not be negative") as caught:
        finished.bad.replay("features")
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.name, last.line) == ("features", 'raise ValueError("rows must not be negative")')
    assert Path(last.filename).name == "deployment.py"
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert capsys.readouterr().out == "-1 rows are made\n"


def test_what_succeeded_gives_its_value(finished: Finished) -> None:
    pandas.testing.assert_frame_equal(finished.good.replay("features"), pandas.DataFrame({"n": range(4)}))
    assert finished.good.replay("total") == 6
    assert finished.good.replay("many") is True


def test_nothing_is_written_to_the_run(finished: Finished) -> None:
    before = {one.key: one.tag for one in finished.made.store.entries("flows/")}
    finished.good.replay("total")
    finished.good.replay("total", function=lambda table: 7)
    assert {one.key: one.tag for one in finished.made.store.entries("flows/")} == before


def test_several_outputs_are_a_tuple(made: Deployment) -> None:
    @aq.op(requirements=[], outputs=["low", "high"])
    def split(rows: int) -> tuple[int, int]:
        return rows - 1, rows + 1

    made.publish(artifacts=split(made.client.create_param("rows", 3)))
    assert made.run(rows=5).replay("split") == (4, 6)


# --- a function of the user


def test_a_corrected_function_plain_and_decorated(finished: Finished) -> None:
    def corrected(rows: int) -> pandas.DataFrame:
        return pandas.DataFrame({"n": range(abs(rows) + 1)})

    for function in (corrected, aq.op(requirements=["pandas"])(corrected)):
        assert len(finished.bad.replay("features", function=function)) == 2


def test_a_corrected_function_that_fails(finished: Finished) -> None:
    def corrected(rows: int) -> int:
        return rows / 0

    with pytest.raises(ZeroDivisionError) as caught:
        finished.bad.replay("features", function=corrected)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].line == "return rows / 0"


def test_arguments_that_are_given_by_name(finished: Finished) -> None:
    def corrected(*, table: pandas.DataFrame) -> int:
        return len(table)

    assert finished.good.replay("total", function=corrected) == 4


def test_a_corrected_function_must_take_the_inputs(finished: Finished) -> None:
    with pytest.raises(
        AuthoringError, match="takes 2 arguments, but 'total' has 1 inputs in this run: table"
    ):
        finished.good.replay("total", function=lambda table, other: 1)


def test_a_corrected_function_must_return_what_the_operator_does(finished: Finished) -> None:
    with pytest.raises(OperatorFailed, match="'total': The computed result is not of type numeric"):
        finished.good.replay("total", function=lambda table: "many")


# --- what cannot be replayed


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("rows", r"'rows' cannot be replayed\. It is a parameter, .*run\.parameters\(\)"),
        ("feature", r"has no operator 'feature'\. Did you mean 'features'\?"),
    ],
)
def test_names_that_have_no_code(finished: Finished, name: str, match: str) -> None:
    with pytest.raises((AuthoringError, NotFound), match=match):
        finished.good.replay(name)


def test_an_operator_that_had_no_inputs_yet(finished: Finished) -> None:
    with pytest.raises(
        NotFound, match=r"^'total' of run .* cannot be replayed: 'table' was not written: .*failed"
    ):
        finished.bad.replay("total")


def test_an_input_that_was_not_kept(made: Deployment) -> None:
    artifacts = made.author()
    artifacts[0].disable_snapshot()
    made.publish(artifacts=artifacts)
    run = made.run(rows=4)
    layout, spec = run.layout, run.spec
    table = next(one.id for one in spec.artifacts if one.name == "table")
    made.store.delete([layout.content(table)])
    with pytest.raises(NotFound, match=r"'total' of run .* cannot be replayed: 'table' was "):
        run.replay("total")


def test_debug_and_isolated_exclude_each_other(finished: Finished) -> None:
    with pytest.raises(AuthoringError, match="Use one of them"):
        finished.good.replay("total", debug=True, isolated=True)


# --- what Airflow does not vouch for


def test_code_that_airflow_does_not_vouch_for(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    for task in made.fake.dags["churn"].runs[run.run_id].tasks.values():
        task.xcoms.clear()
    run = made.client.flow("churn").fetch(run.run_id)
    with pytest.raises(IntegrityError, match="The code of 'features' is not run: whoever can write to"):
        run.replay("features")
    with pytest.raises(ValueError, match="must not be negative"):
        run.replay("features", trust_store=True)
    assert run.replay("features", function=lambda rows: [rows]) == [-1]


def test_requirements_that_airflow_does_not_vouch_for(made: Deployment) -> None:
    """Whoever may write the spec may name a package whose installation runs their code."""
    run = forgotten_with_requirement(made, "evil @ http://127.0.0.1:9/evil-1.tar.gz")
    for function in (None, lambda total: total > 2):
        with pytest.raises(IntegrityError, match=r"nor are its requirements installed: .*@op\(requirements="):
            run.replay("many", function=function, isolated=True)
    assert run.replay("many", function=lambda total: total > 2) is True


def test_code_that_was_changed(
    made: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # This machine must not have the archive already.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made.publish()
    run = made.run(rows=-1)
    (code,) = {one.code.key for one in run.spec.operators if one.name == "features"}
    made.store.put(code, b"other bytes")
    capsys.readouterr()
    with pytest.raises(DigestMismatch, match="functions/"):
        run.replay("features", trust_store=True)
    assert capsys.readouterr().out == "", "nothing was run"


def test_the_spec_of_a_failed_task_is_vouched_for_by_its_own_record(made: Deployment) -> None:
    """A flow of a single operator, whose failure leaves nothing else in Airflow."""

    @aq.op(requirements=[])
    def breaks() -> int:
        raise KeyError("cellar")

    made.publish(artifacts=[breaks.lazy()])
    run = made.run()
    with pytest.raises(KeyError, match="cellar"):
        run.replay("breaks")


def test_pickles_of_an_unknown_origin(made: Deployment) -> None:
    @aq.op(requirements=[])
    def makes() -> Any:
        return {1, 2}

    @aq.op(requirements=[])
    def counts(found: Any) -> int:
        return len(found)

    made.publish(artifacts=[counts(makes())])
    run = made.run()
    assert run.replay("counts") == 2
    for task in made.fake.dags["churn"].runs[run.run_id].tasks.values():
        task.xcoms.clear()
    again = made.client.flow("churn").fetch(run.run_id)
    with pytest.raises(IntegrityError, match="can run code when it is read"):
        again.replay("counts", function=len)
    assert again.replay("counts", function=len, trust_store=True) == 2


def test_the_flow_is_published_again_and_the_run_keeps_its_code(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)

    @aq.op(requirements=["pandas"], outputs=["table"], name="features")
    def other(rows: int) -> pandas.DataFrame:
        return pandas.DataFrame({"n": [rows]})

    made.publish(artifacts=[other(made.client.create_param("rows", 3))])
    with pytest.raises(ValueError, match="must not be negative"):
        made.client.flow("churn").fetch(run.run_id).replay("features")
