"""Replay an operator in an environment of its own, built here: as a local run does, and with its runner."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import CheckFailed, OperatorFailed
from aqueduct_provider.sdk.results.records import Recorded
from aqueduct_provider.sdk.results.stored_source import StoredSource

if TYPE_CHECKING:
    from aqueduct_provider.artifacts.manifest import Manifest
    from aqueduct_provider.process import Stream
    from aqueduct_provider.sdk.packaging.user_function import UserFunction
    from aqueduct_provider.sdk.reruns.replayed_operator import ReplayedOperator
    from aqueduct_provider.sdk.reruns.scratch_worker import ScratchStore
    from aqueduct_provider.spec.models import CallOperator
    from aqueduct_provider.storage.object_store import ObjectStore


def replay_isolated(replayed: ReplayedOperator, store: ObjectStore, function: UserFunction | None) -> Any:
    """Run the function in a child process, and return its value, or a tuple of its values.

    :param store: has the published code; nothing is written there.
    :param function: to be called in place of the published one.
    :raises OperatorFailed: it raises, or returns what it must not return; the message has its traceback.
    """
    from aqueduct_provider.execution.attempt import Attempt
    from aqueduct_provider.execution.task import OperatorTask
    from aqueduct_provider.sdk.local.worker import local_worker
    from aqueduct_provider.sdk.reruns.scratch_worker import ScratchStore
    from aqueduct_provider.storage.held_folder import temporary_folder

    spec, operator = replayed.spec, replayed.operator
    with temporary_folder("replay") as folder:
        scratch = ScratchStore(store, folder)
        task = OperatorTask(spec, operator, replayed.run_id, {}, {})
        keys = [task.layout.content(artifact) for artifact in operator.inputs]
        refs = [scratch.put_input(key, value) for key, value in zip(keys, replayed.inputs, strict=True)]
        if function is not None:
            operator = _with_function(operator, scratch, function)
        inputs = dict(zip(operator.inputs, refs, strict=True))
        worker = local_worker(spec, scratch, isolation="always", missing_python="download")
        attempt = Attempt(replace(task, operator=operator, inputs=inputs), replace(worker, on_line=_print))
        try:
            manifest: Manifest | None = attempt.run()
        except CheckFailed:
            manifest = attempt.left()
        except OperatorFailed as error:
            raise _explained(operator.name, error) from None
        assert manifest is not None
        values = [_value(replayed, scratch, manifest, artifact) for artifact in operator.outputs]
    return values[0] if len(values) == 1 else tuple(values)


def _with_function(operator: CallOperator, store: ScratchStore, function: UserFunction) -> CallOperator:
    """Return the operator with a function of the user as its code."""
    from aqueduct_provider.sdk.packaging.package import package
    from aqueduct_provider.spec.models import Code
    from aqueduct_provider.storage.layout import function_archive

    made = package(function, operator.name)
    key = function_archive(made.sha256)
    store.put(key, made.data)
    code = Code.model_validate({"key": key, "sha256": made.sha256, "views": function.views})
    return operator.model_copy(update={"code": code})


def _explained(name: str, error: OperatorFailed) -> OperatorFailed:
    """Return the error with the traceback in its message, for it is of another process."""
    context = f"\n\n{error.context.rstrip()}" if error.context else ""
    return type(error)(
        f"{name!r} failed. {error}{context}", context=error.context, deterministic=error.deterministic
    )


def _value(replayed: ReplayedOperator, store: ScratchStore, manifest: Manifest, artifact_id: str) -> Any:
    ref = manifest.artifacts[artifact_id]
    artifact = replayed.spec.artifact(artifact_id)
    source = StoredSource(
        name=artifact.name,
        declared=artifact.type.value,
        store=store,
        content_key=ref.key,
        metadata_key=ref.metadata_key,
        why_missing=str,
        look_up=partial(_recorded, Recorded(ref)),
    )
    return source.value()


def _recorded(recorded: Recorded, _fresh: bool) -> Recorded:
    return recorded


def _print(stream: Stream, line: str) -> None:
    print(line, file=sys.stdout if stream == "stdout" else sys.stderr, flush=True)
