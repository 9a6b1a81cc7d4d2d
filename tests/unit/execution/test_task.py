from __future__ import annotations

import json

from aqueduct_provider.execution.task import OperatorTask
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.storage.layout import CompiledLayout, NativeLayout
from tests.support.example_specs import FLOW_ID, VERSION_ID, Document, compiled_document, native_document


def _task(document: Document) -> OperatorTask:
    workflow = parse(json.dumps(document).encode(), "flow.json")
    return OperatorTask(workflow, workflow.operators[0], "run", {}, {})


def test_a_native_flow_has_the_native_layout_and_parquet() -> None:
    task = _task(native_document())
    assert task.layout == NativeLayout(FLOW_ID, "run")
    assert task.table_serialization == "parquet"
    assert task.version == VERSION_ID
    assert task.given == {}


def test_a_compiled_flow_has_what_the_original_reads() -> None:
    task = _task(compiled_document())
    assert isinstance(task.layout, CompiledLayout)
    assert task.layout.metadata("threshold-content") == "threshold-metadata_run"
    assert task.table_serialization == "table"
    assert task.version is None
