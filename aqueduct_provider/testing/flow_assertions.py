"""Flows under test: composed as they would be published, and run here as a worker runs them.

In: artifacts, or a flow that was published. Out: the outputs of a run, or an ``AssertionError`` with the
reason.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.flow import Flow
from aqueduct_provider.sdk.own_frames import ends_in_user_code
from aqueduct_provider.sdk.publishing.rehearsal import Rehearsal, Unpublished

if TYPE_CHECKING:
    from aqueduct_provider.sdk.authoring.artifacts import Artifact
    from aqueduct_provider.sdk.client import Client
    from aqueduct_provider.sdk.local.events import LocalOutcome
    from aqueduct_provider.sdk.publishing.compose import Composition, FlowRequest
    from aqueduct_provider.spec.models import WorkflowSpec

# Significant digits of numbers in snapshots.
_DIGITS = 10
# Texts that values of other types have, in columns of objects.
_LIKE_VALUES = frozenset({"", "None", "nan", "NaN", "NaT", "<NA>", "inf", "-inf", "True", "False"})
_LIKE_NUMBER = re.compile(r"['\"].*|[-+]?[\d.].*", re.DOTALL)
# Lines of a difference that are shown.
_MOST_LINES = 40


class FlowsUnderTest(Rehearsal):
    """Composes what a test publishes, and sends it nowhere."""

    def publish(self, request: FlowRequest) -> Flow:
        """Compose a flow, and return it.

        :raises AuthoringError: something in it would fail later.
        """
        super().publish(request)
        return cast("Flow", ComposedFlow(self.compositions[-1]))


class ComposedFlow(Unpublished):
    """A flow that a test has published."""

    def __init__(self, composition: Composition) -> None:
        self.composition = composition

    def __repr__(self) -> str:
        return f"<composed flow {self.composition.spec.flow.name!r}>"


class FlowUnderTest:
    """A flow of which something is asserted.

    :param flow: an artifact, several, or a flow.
    :param name: of the flow that is made of artifacts.
    :param isolated: whether operators run in environments of their own.
    """

    def __init__(
        self, flow: Any, *, name: str, client: Client, snapshots: Snapshots, isolated: bool = False
    ) -> None:
        self._session = flow.session if isinstance(flow, Flow) else client._session
        self._snapshots, self._isolated = snapshots, isolated
        self.spec, objects = _flow_of(flow, name)
        self._store = client._session.store
        for key, data in objects.items():
            self._store.put(key, data)

    @ends_in_user_code
    def runs(self, parameters: Mapping[str, Any] | None = None) -> FlowRun:
        """Assert that the flow runs, and return the run.

        Each operator runs in a child process, in the order of the flow, as on a worker; none is tried again.

        :param parameters: values by parameter name; those left out have their defaults.
        :raises AssertionError: an operator failed, or a check of severity ``error`` did not pass.
        :raises AuthoringError: a parameter does not fit.
        """
        __tracebackhide__ = True
        from aqueduct_provider.sdk.local.run_flow import run_spec
        from aqueduct_provider.sdk.local.systems import systems_of

        outcome = run_spec(
            self.spec,
            self._store,
            parameters=parameters,
            isolation="always" if self._isolated else "never",
            retries=False,
            find=systems_of(self._session),
        )
        if failures := _failures(outcome):
            raise AssertionError(failures)
        return FlowRun(outcome, self._snapshots)


@dataclass(frozen=True)
class FlowRun:
    """A run that succeeded.

    :ivar outcome: how each operator ended, and what was written.
    """

    outcome: LocalOutcome
    _snapshots: Snapshots

    @ends_in_user_code
    def artifact(self, name: str) -> Artifact:
        """Return the artifact with this name. Raises ``NotFound``."""
        return self.outcome.artifact(name)

    @ends_in_user_code
    def output(self, name: str) -> Any:
        """Return the value of the artifact with this name. Raises ``NotFound``."""
        return self.artifact(name).get()

    def printed(self, operator: str) -> str:
        """Return what the code of an operator printed; empty where the run has none of this name."""
        return "".join(f"{one.stdout}{one.stderr}" for one in self.outcome.operators if one.name == operator)

    @ends_in_user_code
    def matches_snapshot(self, name: str) -> FlowRun:
        """Assert that a table is what it was when its snapshot was written.

        The snapshot is a text file below ``__snapshots__`` next to the test, to be kept in Git: names of
        columns, their types, and the rows, numbers with 10 significant digits.

        :param name: the artifact's.
        :raises AssertionError: it differs, or there is none; ``--aqueduct-update-snapshots`` writes it.
        """
        __tracebackhide__ = True
        self._snapshots.check(name, self.output(name))
        return self


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one test.

    :param folder: where they are.
    :param update: whether to write them.
    """

    folder: Path
    update: bool

    def check(self, name: str, table: Any) -> None:
        """Compare a table with its snapshot, or write it.

        :raises AssertionError: they differ, or there is none.
        """
        __tracebackhide__ = True
        path, text = self.folder / f"{file_stem(name)}.csv", table_text(name, table)
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            return
        if not path.is_file():
            raise AssertionError(
                f"{name!r} has no snapshot at {path}: look at the table, then run pytest with "
                "--aqueduct-update-snapshots to write it."
            )
        before = path.read_text("utf-8")
        if before != text:
            pairs = before.splitlines(), text.splitlines()
            lines = list(difflib.unified_diff(*pairs, "snapshot", "now", lineterm=""))
            more = ["..."] if len(lines) > _MOST_LINES else []
            message = (
                f"{name!r} differs from its snapshot at {path}. Where that is right, run pytest with "
                "--aqueduct-update-snapshots."
            )
            raise AssertionError("\n".join([message, *lines[:_MOST_LINES], *more]))


def table_text(name: str, table: Any) -> str:
    """Return a table as text: a line of names, a line of types, and the rows, all with the index.

    :param name: for the message.
    :raises AuthoringError: it is not a table of pandas.
    """
    import pandas

    if not isinstance(table, pandas.DataFrame):
        raise AuthoringError(
            f"{name!r} is a {type(table).__name__}: snapshots are of tables of pandas. Compare "
            f".output({name!r}) instead."
        )
    table = table.copy(deep=False)
    for place, dtype in enumerate(table.dtypes):
        if pandas.api.types.is_object_dtype(dtype):
            # As CSV, 1 and "1" would be the same, and so would None and NaN.
            table.isetitem(place, [_cell(value) for value in table.iloc[:, place]])
    rows: str = table.to_csv(float_format=f"%.{_DIGITS}g", lineterminator="\n")
    head, _, body = rows.partition("\n")
    types = ",".join([str(table.index.dtype), *map(str, table.dtypes)])
    return f"{head}\n{types}\n{body}"


def file_stem(name: str) -> str:
    """Return a name as the name of a file or folder; two names never share one."""
    safe = re.sub(r"[^\w.-]+", "_", name).strip("_.")[:80]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _cell(value: Any) -> Any:
    """Return a value of a column of objects as text that shows its type."""
    if isinstance(value, str):
        # Plain text stays readable; what looks like another value is quoted.
        return repr(value) if value in _LIKE_VALUES or _LIKE_NUMBER.fullmatch(value) else value
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    return repr(value)


def _flow_of(flow: Any, name: str) -> tuple[WorkflowSpec, Mapping[str, bytes]]:
    """Return the spec, and the objects that it names."""
    if isinstance(flow, Flow):
        from aqueduct_provider.sdk.publishing.flow_copy import copy_of

        copy = copy_of(flow.session.registry, flow.record)
        return copy.spec, copy.objects
    if not isinstance(flow, ComposedFlow):
        from aqueduct_provider.sdk.authoring.arguments import nodes_of
        from aqueduct_provider.sdk.publishing.compose import FlowRequest

        flow = FlowsUnderTest().publish(FlowRequest(name, nodes_of(flow, "assert_flow")))
    composition: Composition = flow.composition
    return composition.spec, composition.objects


def _failures(outcome: LocalOutcome) -> str:
    """Return what failed, with traceback and output; empty where nothing did."""
    failed = [one for one in outcome.operators if one.has_failed and not one.warning]
    if not failed:
        return ""
    parts = [f"The flow {outcome.spec.flow.name!r} failed."]
    for one in failed:
        output = f"{one.stdout}{one.stderr}".rstrip()
        shown = [f"{one.name!r}: {one.tip}", one.traceback.rstrip(), output and f"It printed:\n{output}"]
        parts.append("\n".join(filter(None, shown)))
    return "\n\n".join(parts)
