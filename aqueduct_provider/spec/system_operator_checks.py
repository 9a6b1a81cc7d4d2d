"""Check what extracts and loads must fulfil beyond the types of their fields (pure).

In: an operator of either dialect and the types of its artifacts. Out: problems at the JSON paths of its own
document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aqueduct_provider.errors import Problem
from aqueduct_provider.protected_keys import LEDGER_REFUSAL, is_ledger, protected_prefix
from aqueduct_provider.spec.graph import Locate
from aqueduct_provider.spec.models import ConnectionStore, ExtractOperator, LoadOperator, WorkflowSpec
from aqueduct_provider.spec.system_operators import FilesExtract, FilesLoad, MongoLoad, S3Load, SqlLoad
from aqueduct_provider.spec.types import ArtifactType

Types = Mapping[str, ArtifactType]

_NO_FORMAT = "tables need a format; give 'CSV', 'JSON' or 'Parquet'"
_TEXTS = (ArtifactType.STRING, ArtifactType.JSON, ArtifactType.UNTYPED)
_TABLES = (ArtifactType.TABLE, ArtifactType.UNTYPED)


def data_system_problems(
    operator: ExtractOperator | LoadOperator, index: int, types: Types, at: Locate
) -> Iterator[Problem]:
    """Find every rule that the operator breaks.

    :param index: its place among the operators.
    :param types: artifact id -> its type.
    """
    if isinstance(operator, ExtractOperator):
        strings = operator.inputs
        yield from _extract_problems(operator, index, types, at)
    else:
        strings = operator.inputs[:-1]
        yield from _load_problems(operator, index, types, at)
    for place, artifact in enumerate(strings):
        if types.get(artifact, ArtifactType.UNTYPED) not in _TEXTS:
            message = (
                f"must be text to be a parameter here, and is of type {types[artifact].value}; give text"
            )
            yield Problem(at("operators", index, "inputs", place), message)


def protected_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    """Find loads that write to the flow's own artifact store, below what Airflow and its workers run.

    Where other connections lead, and what placeholders are filled with, is known on the worker.
    """
    if spec.compiled is not None:
        return
    where = spec.artifact_store
    own = {None, where.connection_id} if isinstance(where, ConnectionStore) else {None}
    for index, operator in enumerate(spec.operators):
        target = operator.target if isinstance(operator, LoadOperator) else None
        if isinstance(target, S3Load) and target.connection_id in own:
            known, brace, _ = target.filepath.partition("{" if len(operator.inputs) > 1 else "\0")
            if prefix := protected_prefix("s3://own", f"s3://own/{known}", is_whole=not brace):
                message = (
                    f"is below {prefix} of the artifact store, from which Airflow and its workers read what "
                    "they run; choose another path"
                )
                yield Problem(at("operators", index, "target", "filepath"), message)


def _extract_problems(operator: ExtractOperator, index: int, types: Types, at: Locate) -> Iterator[Problem]:
    source = operator.source
    if isinstance(source, FilesExtract):
        if source.artifact_type is ArtifactType.TABLE and source.format is None:
            yield Problem(at("operators", index, "source", "format"), _NO_FORMAT)
        return
    for place, artifact in enumerate(operator.outputs):
        if types.get(artifact, ArtifactType.TABLE) not in _TABLES:
            message = (
                f"{source.connector} gives a table, and this artifact is to be another type; make it table"
            )
            yield Problem(at("operators", index, "outputs", place), message)


def _load_problems(operator: LoadOperator, index: int, types: Types, at: Locate) -> Iterator[Problem]:
    saved = types.get(operator.inputs[-1]) if operator.inputs else None
    match operator.target:
        case FilesLoad(format=None) if saved is ArtifactType.TABLE:
            yield Problem(at("operators", index, "target", "format"), _NO_FORMAT)
        case SqlLoad(table="") | MongoLoad(collection="") if len(operator.inputs) < 2:
            message = (
                "empty, so the first string input names it, and there is none; give the name or the input"
            )
            field = "table" if isinstance(operator.target, SqlLoad) else "collection"
            yield Problem(at("operators", index, "target", field), message)
        case SqlLoad(table=name) | MongoLoad(collection=name) if is_ledger(name):
            field = "table" if isinstance(operator.target, SqlLoad) else "collection"
            yield Problem(at("operators", index, "target", field), LEDGER_REFUSAL)
    if isinstance(operator.target, SqlLoad | MongoLoad) and saved not in (None, *_TABLES):
        message = f"only tables can be saved to {operator.target.connector}; make a table of it first"
        yield Problem(at("operators", index, "inputs", len(operator.inputs) - 1), message)
