"""Prepare extracts and loads of tables in databases and MongoDB.

In: a bench and the operator. Out: a :class:`TableJob`, whose order holds the credentials: it goes to the
child through a pipe, and is in no file, log or error.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder
from aqueduct_provider.execution.workspace import Bench, TableJob
from aqueduct_provider.spec.models import ExtractOperator, LoadOperator
from aqueduct_provider.spec.system_operators import MongoExtract, MongoLoad, SqlExtract, SqlLoad


def extract_table(bench: Bench, operator: ExtractOperator, source: SqlExtract | MongoExtract) -> TableJob:
    """Return the job that reads a query's result into the operator's output."""
    inputs = bench.fetch_inputs(operator.inputs)
    parameters = tuple(
        bench.text(artifact, file, "is a parameter of a query")
        for artifact, file in zip(operator.inputs, inputs, strict=True)
    )
    (slot,) = bench.output_slots()
    order = ExtractOrder(
        system=bench.worker.system(operator),
        path=slot.path,
        parameters=parameters,
        dates=bench.task.dates,
        tables=bench.task.table_serialization,
        patience=bench.worker.patience.seconds,
    )
    if isinstance(source, SqlExtract):
        return TableJob(replace(order, queries=source.queries, decimals=source.decimals))
    find = source.query.model_dump(mode="json")
    return TableJob(replace(order, collection=source.collection, find=find))


def load_table(bench: Bench, operator: LoadOperator, target: SqlLoad | MongoLoad) -> TableJob:
    """Return the job that writes the operator's last input into a data system."""
    *parameters, saved = operator.inputs
    inputs = bench.fetch_inputs(operator.inputs)
    strings = [
        bench.text(artifact, file, "names the table to save to")
        for artifact, file in zip(parameters, inputs, strict=False)
    ]
    task, file = bench.task, inputs[-1]
    return TableJob(
        LoadOrder(
            system=bench.worker.system(operator),
            target=_target(target, strings),
            mode=target.update_mode,
            path=file.path,
            artifact_type=file.artifact_type,
            serialization_type=file.serialization_type,
            key=load_key(str(task.workflow.flow.id), task.run_id, operator.id),
            digest=task.inputs[saved].sha256,
            run=f"{task.workflow.dag_id} {task.run_id} {operator.task_id}",
        )
    )


def load_key(flow_id: str, run_id: str, operator_id: str) -> str:
    """Return a digest that is the same for every try of one load in one run, and for no other.

    It has 64 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps([flow_id, run_id, operator_id]).encode()).hexdigest()


def _target(target: SqlLoad | MongoLoad, strings: list[str]) -> str:
    """Return the table or collection: named in the spec, or by the first string input."""
    name = target.table if isinstance(target, SqlLoad) else target.collection
    return name or strings[0]
