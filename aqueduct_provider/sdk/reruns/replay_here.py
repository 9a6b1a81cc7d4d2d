"""Replay an operator in this process: its published code, or a function of the user, on its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AqueductError, OperatorFailed
from aqueduct_provider.runner.codecs import CodecError
from aqueduct_provider.runner.results import ResultError
from aqueduct_provider.sdk.authoring.execute import Results, decoded, run_in_folder, run_operator
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode
from aqueduct_provider.sdk.authoring.worker_imports import UndeclaredModule
from aqueduct_provider.sdk.packaging.user_function import UserFunction

if TYPE_CHECKING:
    from aqueduct_provider.sdk.reruns.archived_function import Archive
    from aqueduct_provider.sdk.reruns.replayed_operator import ReplayedOperator
    from aqueduct_provider.spec.models import Operator, WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore

# Errors that say more than what they were made of.
_OURS = (AqueductError, CodecError, ResultError, UndeclaredModule)


def replay_here(
    replayed: ReplayedOperator, store: ObjectStore, function: UserFunction | None, *, debug: bool
) -> Any:
    """Call the function, and return its value, or a tuple of its values.

    :param store: has the published code.
    :param function: to be called in place of the published one.
    :param debug: whether a debugger stops where it fails.
    :raises OperatorFailed: it returns what it must not return.
    :raises Exception: what the function raises, from the user's own frame on.
    """
    try:
        if function is not None:
            node = _node(replayed, _watched(function, debug))
            if node.kind == "function":
                # As when it is published: its outputs are of the types that it returns.
                for output in node.outputs:
                    output.type = "untyped"
            results = run_operator(node, replayed.inputs)
        else:
            results = _call_archived(replayed, store, debug)
    except OperatorFailed as error:
        failure = _failure(error)
    else:
        values = [_value(replayed, number, results) for number in range(len(results.outputs))]
        return values[0] if len(values) == 1 else tuple(values)
    # Not in the handler, where Python would make it the consequence of another error.
    raise failure


def _failure(error: OperatorFailed) -> Exception:
    """Return the user's own error, whose traceback begins at the user's frame; else the given one."""
    cause = error.__cause__
    return cause if isinstance(cause, Exception) and not isinstance(cause, _OURS) else error


def _call_archived(replayed: ReplayedOperator, store: ObjectStore, debug: bool) -> Results:
    from aqueduct_provider.sdk.authoring.working_folder import archive_folder
    from aqueduct_provider.sdk.reruns.archived_function import loaded_function

    with (
        _archive(replayed, store) as archive,
        archive_folder(archive.folder.path) as folder,
        loaded_function(archive) as call,
    ):
        function = UserFunction(call, (), (), folder.path, replayed.operator.code.views)
        return run_in_folder(_node(replayed, _watched(function, debug)), replayed.inputs, folder)


@contextmanager
def _archive(replayed: ReplayedOperator, store: ObjectStore) -> Iterator[Archive]:
    """Fetch the operator's code, verify and unpack it."""
    from aqueduct_provider.sdk.reruns.archived_function import Archive
    from aqueduct_provider.sdk.reruns.scratch_worker import fetched_code
    from aqueduct_provider.spec.version_label import version_label
    from aqueduct_provider.storage.held_folder import temporary_folder

    version = replayed.spec.version
    with temporary_folder("replay") as folder:
        code = fetched_code(replayed, store, folder / "code")
        yield Archive(code, replayed.operator, version_label(str(version.id), version.number))


def _watched(function: UserFunction, debug: bool) -> UserFunction:
    if not debug:
        return function
    from aqueduct_provider.sdk.reruns.post_mortem import stopping_at_failure

    call: Callable[..., Any] = stopping_at_failure(function.call)
    return replace(function, call=call)


def _value(replayed: ReplayedOperator, number: int, results: Results) -> Any:
    try:
        return decoded(results.outputs[number])
    except (CodecError, ImportError) as error:
        name = replayed.spec.artifact(replayed.operator.outputs[number]).name
        raise OperatorFailed(f"The value of {name!r} {error}", deterministic=True) from error


# --- the graph, as eager calls have it


def _node(replayed: ReplayedOperator, function: UserFunction) -> OperatorNode:
    operator, spec = replayed.operator, replayed.spec
    node = OperatorNode(operator.type, operator.name, "", function=function)
    node.inputs = tuple(_artifact(spec, one, _bare(spec.producer(one))) for one in operator.inputs)
    node.outputs = tuple(_artifact(spec, one, node) for one in operator.outputs)
    return node


def _bare(operator: Operator) -> OperatorNode:
    return OperatorNode(operator.type, operator.name, "")


def _artifact(spec: WorkflowSpec, artifact_id: str, producer: OperatorNode) -> ArtifactNode:
    artifact = spec.artifact(artifact_id)
    return ArtifactNode(producer, artifact.name, named=True, type=artifact.type.value)
