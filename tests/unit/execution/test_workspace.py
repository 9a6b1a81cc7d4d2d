"""What every kind of operator needs from its bench."""

from __future__ import annotations

import pytest

from aqueduct_provider.artifacts.metadata import Metadata
from aqueduct_provider.artifacts.transfer import NewArtifact, publish
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON
from aqueduct_provider.errors import (
    DigestMismatch,
    ObjectNotFound,
    OperatorFailed,
    StorageUnavailable,
    is_retryable,
)
from aqueduct_provider.execution.task import OperatorTask
from aqueduct_provider.execution.workspace import Bench, user_keys
from aqueduct_provider.runner.contract import InputFile, OutputSlot
from tests.support.flow_runs import RUN_ID, LocalRun
from tests.unit.execution.conftest import Desk


def bench_of(desk: Desk, **values: tuple[str, str, bytes]) -> Bench:
    """The bench of ``g``, which reads these artifacts: type, serialization type and content of each."""
    makers = [
        {
            "task_id": f"make_{name}",
            "type": "function",
            "outputs": [name],
            "code": desk.code("def predict(): pass"),
        }
        for name in values
    ]
    reader = {
        "task_id": "g",
        "type": "function",
        "inputs": list(values),
        "outputs": ["one", "two"],
        "code": desk.code("def predict(*args): pass"),
    }
    spec = desk.flow(*makers, reader, types={"one": "table", "two": "numeric"})
    refs = {}
    for name, (artifact_type, serialization, content) in values.items():
        path = desk.folder / f"made {name}"
        path.write_bytes(content)
        metadata = Metadata(artifact_type, serialization, "x", [], {}, None)
        (refs[name],) = publish(
            desk.store, [NewArtifact(path, f"{name}/content", f"{name}/metadata", metadata)], 2
        )
    folder = desk.folder / "job"
    folder.mkdir()
    operator = next(item for item in spec.operators if item.task_id == "g")
    task = OperatorTask(spec, operator, RUN_ID, {}, refs)
    return Bench(task, LocalRun(spec, desk.store, desk.folder).worker, folder)


def test_inputs_lie_in_the_folder_in_their_order_beside_what_else_was_fetched(desk: Desk) -> None:
    bench = bench_of(desk, a=("string", "string", b"text"), b=("table", "parquet", b"PAR1"))
    also: list[int] = []
    files = bench.fetch_inputs(["b", "a"], lambda: also.append(1))
    assert files == [
        InputFile("inputs/0", "table", "parquet", name="b", maker="make_b"),
        InputFile("inputs/1", "string", "string", name="a", maker="make_a"),
    ]
    assert [(bench.folder / file.path).read_bytes() for file in files] == [b"PAR1", b"text"]
    assert also == [1]
    assert bench.fetch_inputs([]) == []


def test_an_input_that_was_changed_is_refused(desk: Desk) -> None:
    bench = bench_of(desk, a=("string", "string", b"text"))
    desk.store.put("a/content", b"evil")
    with pytest.raises(DigestMismatch):
        bench.fetch_inputs(["a"])


def test_outputs_have_a_slot_each(desk: Desk) -> None:
    bench = bench_of(desk)
    assert bench.output_slots() == [
        OutputSlot("outputs/0", "table", "one"),
        OutputSlot("outputs/1", "numeric", "two"),
    ]
    assert (bench.folder / "outputs").is_dir()


def test_a_text_is_read_and_nothing_else_is_one(desk: Desk) -> None:
    bench = bench_of(desk, a=("string", "string", "grün\n".encode()), n=("numeric", "json", b"5"))
    text, number = bench.fetch_inputs(["a", "n"])
    assert bench.text("a", text, "does something") == "grün\n"
    with pytest.raises(
        OperatorFailed, match=r"^'n' does something and must be a string, not numeric\.$"
    ) as caught:
        bench.text("n", number, "does something")
    assert not is_retryable(caught.value)


def test_the_environment_has_what_code_inputs_and_outputs_need(desk: Desk) -> None:
    bench = bench_of(desk)
    code = bench.fetch_code(bench.task.operator.code)  # type: ignore[union-attr]
    assert code.path.is_dir()
    assert set(bench.environment(code, []).requirements) >= {"cloudpickle", "pandas", "pyarrow"}
    assert bench.environment(None, []).python_version == WORKER_PYTHON


@pytest.mark.parametrize(("reads", "packages"), [("pickle", True), ("json", False)])
def test_only_pickles_are_read_beside_their_neighbours_code(desk: Desk, reads: str, packages: bool) -> None:
    bench = bench_of(desk, a=("picklable", "pickle", b""))
    fetched = bench.environment_beside(bench.task.workflow.operators, reads=reads)
    assert (bench.folder / "code").exists() is packages
    assert ("cloudpickle" in fetched.requirements) is packages


def test_a_key_that_the_flow_names_and_that_is_not_there_is_its_mistake() -> None:
    def missing() -> None:
        raise ObjectNotFound("There is nothing at a.")

    def away() -> None:
        raise StorageUnavailable("no answer")

    with pytest.raises(OperatorFailed, match="There is nothing at a") as caught:
        user_keys(missing)
    assert not is_retryable(caught.value)
    with pytest.raises(StorageUnavailable):
        user_keys(away)
    assert user_keys(lambda: 5) == 5
