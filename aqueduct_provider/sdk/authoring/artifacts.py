"""The artifacts that decorated functions return.

In: an :class:`ArtifactSource`. Out: an artifact of the class that its type asks for. It is lazy:
it gives its value on ``.get()`` and refuses to be used as the value itself.
"""

from __future__ import annotations

import html
import operator
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Generic

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring import derived, presets
from aqueduct_provider.sdk.authoring.artifact_sources import ArtifactSource, GraphSource
from aqueduct_provider.sdk.authoring.lazy_value import LazyValue
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode
from aqueduct_provider.sdk.authoring.options import severity_of
from aqueduct_provider.sdk.authoring.table_rows import first_rows
from aqueduct_provider.sdk.authoring.value_types import Number, Table, Value
from aqueduct_provider.sdk.enums import ArtifactType, CheckSeverity
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.notify import Receivers, check_notifications
from aqueduct_provider.sdk.own_frames import ends_in_user_code
from aqueduct_provider.sdk.suggest import tidy
from aqueduct_provider.spec.bounds import BOUND_WORDS

if TYPE_CHECKING:
    from aqueduct_provider.sdk.authoring.presets import Metric

Parameters = Mapping[str, Any]

_COMPARISONS = {"upper": operator.lt, "lower": operator.gt, "equal": operator.eq, "notequal": operator.ne}


@suggest_keywords_of_methods
class Artifact(LazyValue, Generic[Value]):
    """A value that a flow makes.

    :param source: where the value comes from.
    """

    def __init__(self, source: ArtifactSource) -> None:
        self._source = source

    @property
    def source(self) -> ArtifactSource:
        """Where the value comes from."""
        return self._source

    @property
    def node(self) -> ArtifactNode | None:
        """Its place in the graph; None for artifacts that were read back from a run."""
        return self._source.node

    def id(self) -> str:
        """Return a text that stays the same for the same artifact."""
        return self._source.id

    def name(self) -> str:
        """Return what users call it."""
        return self._source.name

    def type(self) -> ArtifactType:
        """Return the kind of value; ``ArtifactType.UNTYPED`` while that is not known."""
        return ArtifactType(self._source.type)

    def get(self, parameters: Parameters | None = None, *, trust_store: bool = False) -> Value:
        """Return the value, computed when it is not there yet; a copy of the caller's own.

        Read back from a run, it is verified by the digest in Airflow's database.

        :param parameters: values of parameters by name, for this call alone: what depends on them is computed
            again, nothing of it is kept.
        :param trust_store: for artifacts that were read back from a run: where Airflow has no digest of it,
            read it even if that can run code. Pass it when you trust everyone who can write to the bucket.
        :raises AuthoringError: when it depends on no parameter of such a name, when a value is of another
            type than the default, or when parameters are given and the artifact was read back from a run.
        :raises IntegrityError: when it is not what the run has written, or when it could run code and Airflow
            does not vouch for it.
        :raises OperatorFailed: when a function raises or returns what it must not return; the user's own
            error is the cause.
        :raises CheckFailed: when it is a check of severity ``error`` that did not pass.
        """
        if trust_store:
            self._source.trust()
        value: Value = self._source.value(parameters)
        return value

    def set_name(self, name: str) -> None:
        """Choose the name. Chosen names must be unique in a flow; others are made so by a counter.

        A parameter keeps the name of ``create_param``, by which values are given; its artifact is renamed.
        """
        node = self._recorded("renamed")
        if not isinstance(name, str) or not name.strip():
            raise AuthoringError(f"An artifact's name must be a non-empty string, not {name!r}.")
        node.name, node.named = tidy(name), True

    def snapshot_enabled(self) -> bool:
        """Return whether its content is kept after a run."""
        return self._recorded("asked for its snapshot").keep_snapshot

    def enable_snapshot(self) -> None:
        """Keep its content after a run, as is the default."""
        self._recorded("given a snapshot").keep_snapshot = True

    def disable_snapshot(self) -> None:
        """Do not keep its content after a run, only what the run says of it."""
        self._recorded("without a snapshot").keep_snapshot = False

    def system_metric(self, metric_name: str, lazy: bool = False) -> NumericArtifact:
        """Add a metric of what its operator took.

        :param metric_name: ``"runtime"``, seconds, or ``"max_memory"``, MB. Computed here, the memory is the
            most that this process had resident until then; on Airflow that of the operator's own process.
        :param lazy: only record it.
        """
        node = derived.system_metric(self._recorded("measured"), metric_name, lazy=lazy)
        return NumericArtifact(GraphSource(node))

    def list_system_metrics(self) -> dict[str, tuple[str, str]]:
        """Return the names of system metrics with their descriptions and units."""
        return {name: (text, unit) for name, (unit, text) in derived.SYSTEM_METRICS.items()}

    def describe(self) -> None:
        """Print a summary; the value only when it was computed already."""
        from aqueduct_provider.sdk.authoring.artifact_text import description
        from aqueduct_provider.sdk.console import print_text

        print_text(description(self._source))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name()!r}: {self._source.type}>"

    def _repr_html_(self) -> str:
        # A notebook shows this for every cell that ends in an artifact: it must never be what fails.
        try:
            from aqueduct_provider.sdk.display.notebook import artifact_html

            return artifact_html(self)
        except Exception:
            return f"<pre>{html.escape(repr(self))}</pre>"

    if not TYPE_CHECKING:

        @ends_in_user_code
        def __getattr__(self, name: str) -> Any:
            raise AttributeError(_missing(self, name), name=name, obj=self)

    def _recorded(self, what: str) -> ArtifactNode:
        """Return the node. Raises ``AuthoringError`` for artifacts that were read back from a run."""
        if self._source.node is None:
            raise AuthoringError(
                f"{self.name()!r} was read back from a run, which has ended with it as it is: it cannot be "
                f"{what}. Use the artifact that the decorated function returned."
            )
        return self._source.node


@suggest_keywords_of_methods
class _WithChecks(Artifact[Value]):
    """An artifact that makes checks of itself."""

    def remove_check(self, name: str) -> None:
        """Take a check off it. Raises ``AuthoringError`` when it has none of that name."""
        derived.remove_check(self._recorded("freed of a check"), name)


@suggest_keywords_of_methods
class TableArtifact(_WithChecks[Table]):
    """A table: a DataFrame of pandas, or a frame of another library."""

    def head(self, n: int = 5, parameters: Parameters | None = None, *, trust_store: bool = False) -> Table:
        """Return the first rows, as a frame of the table's own library.

        :param n: how many.
        :param parameters: as for :meth:`get`.
        :param trust_store: as for :meth:`get`.
        """
        rows: Table = first_rows(self.get(parameters, trust_store=trust_store), n)
        return rows

    def list_preset_metrics(self) -> list[str]:
        """Return the names of the methods that compute a metric."""
        return ["number_of_missing_values", "number_of_rows", "max", "min", "mean", "std"]

    def number_of_missing_values(
        self, column_id: Any = None, row_id: Any = None, lazy: bool = False
    ) -> NumericArtifact:
        """Add a metric: how many values of a column or of a row are missing; give one of both.

        :param column_id: the column's name.
        :param row_id: the row's number, from 0.
        :param lazy: only record it.
        """
        if (column_id is None) == (row_id is None):
            given = "neither" if column_id is None else "both"
            raise AuthoringError(
                f"number_of_missing_values needs a column_id or a row_id, but {given} was given."
            )
        if row_id is None:
            name, call = f"num_col_missing_val({column_id})", presets.missing_in_column(column_id)
        else:
            name, call = f"num_row_missing_val({row_id})", presets.missing_in_row(row_id)
        return self._preset(name, call, "The number of missing values", lazy)

    def number_of_rows(self, lazy: bool = False) -> NumericArtifact:
        """Add a metric: how many rows there are.

        :param lazy: only record it.
        """
        return self._preset("num_rows", presets.number_of_rows, "The number of rows", lazy)

    def max(self, column_id: Any, lazy: bool = False) -> NumericArtifact:
        """Add a metric: the largest value of a column.

        :param column_id: the column's name.
        :param lazy: only record it.
        """
        return self._of_column("max", column_id, lazy)

    def min(self, column_id: Any, lazy: bool = False) -> NumericArtifact:
        """Add a metric: the smallest value of a column; as :meth:`max`."""
        return self._of_column("min", column_id, lazy)

    def mean(self, column_id: Any, lazy: bool = False) -> NumericArtifact:
        """Add a metric: the mean of a column; as :meth:`max`."""
        return self._of_column("mean", column_id, lazy)

    def std(self, column_id: Any, lazy: bool = False) -> NumericArtifact:
        """Add a metric: the sample standard deviation of a column; as :meth:`max`."""
        return self._of_column("std", column_id, lazy)

    def validate_with_expectation(
        self,
        expectation_name: str,
        expectation_args: Mapping[str, Any] | None = None,
        severity: CheckSeverity | str = CheckSeverity.WARNING,
        lazy: bool = False,
        *,
        on_warning: Receivers = None,
        on_failure: Receivers = None,
        on_recovery: Receivers = None,
    ) -> BoolArtifact:
        """Add a check: whether the table meets an expectation of Great Expectations.

        :param expectation_name: such as ``expect_column_values_to_be_unique``, or its class,
            ``ExpectColumnValuesToBeUnique``.
        :param expectation_args: its arguments, such as ``{"column": "id"}``.
        :param severity: ``warning``, or ``error``: the flow fails when it does not pass.
        :param lazy: only record it; then Great Expectations need not be installed here.
        :param on_warning: who is notified; as ``on_failure`` and ``on_recovery``, that of ``aq.check``.
        """
        from aqueduct_provider.sdk import settings
        from aqueduct_provider.sdk.authoring import expectations

        recorded = self._recorded("checked")
        if not (lazy or settings.is_lazy()):
            expectations.check_installed()
        arguments = {} if expectation_args is None else expectation_args
        call = expectations.expectation_check(expectation_name, arguments)
        node = derived.derive(
            "check",
            expectations.check_name(expectation_name, arguments),
            (recorded,),
            call,
            requirements=expectations.requirements(),
            description=f"Whether {self.name()} meets the expectation {expectation_name}.",
            severity=severity_of("validate_with_expectation", severity),
            notifications=check_notifications(
                "validate_with_expectation", on_warning, on_failure, on_recovery
            ),
            lazy=lazy,
        )
        return BoolArtifact(GraphSource(node))

    def _of_column(self, what: str, column: Any, lazy: bool) -> NumericArtifact:
        call = presets.column_statistic(what, column)
        return self._preset(f"{what}({column})", call, f"The {what} of column {column!r}", lazy)

    def _preset(self, name: str, call: Metric, what: str, lazy: bool) -> NumericArtifact:
        node = derived.derive(
            "metric",
            name,
            (self._recorded("measured"),),
            call,
            requirements=presets.table_requirements(),
            description=f"{what} of {self.name()}.",
            lazy=lazy,
        )
        return NumericArtifact(GraphSource(node))


@suggest_keywords_of_methods
class NumericArtifact(_WithChecks[Number]):
    """A number."""

    def list_preset_checks(self) -> list[str]:
        """Return the arguments of :meth:`bound`."""
        return list(BOUND_WORDS)

    def bound(
        self,
        upper: float | None = None,
        lower: float | None = None,
        equal: float | None = None,
        notequal: float | None = None,
        severity: CheckSeverity | str = CheckSeverity.WARNING,
        lazy: bool = False,
        *,
        on_warning: Receivers = None,
        on_failure: Receivers = None,
        on_recovery: Receivers = None,
    ) -> BoolArtifact:
        """Add a check of the number against one bound.

        :param upper: it must be less than this.
        :param lower: it must be greater than this.
        :param equal: it must be this.
        :param notequal: it must not be this.
        :param severity: ``warning``, or ``error``: the flow fails when it does not pass.
        :param lazy: only record it.
        :param on_warning: who is notified; as ``on_failure`` and ``on_recovery``, that of ``aq.check``.

        ::

            accuracy.bound(lower=0.9, severity="error")
        """
        given = {"upper": upper, "lower": lower, "equal": equal, "notequal": notequal}
        which, value = _one_bound(given)
        words, comparison = BOUND_WORDS[which], _COMPARISONS[which]
        node = derived.derive(
            "check",
            f"{words} {value}",
            (self._recorded("checked"),),
            presets.bound(comparison, value),
            description=f"Whether {self.name()} is {words} {value}.",
            severity=severity_of("bound", severity),
            notifications=check_notifications("bound", on_warning, on_failure, on_recovery),
            lazy=lazy,
        )
        return BoolArtifact(GraphSource(node))


class BoolArtifact(Artifact[bool]):
    """True or false."""


class GenericArtifact(Artifact[Value]):
    """A value of any other type, or of one that is not known yet."""


_CLASSES: dict[str, type[Artifact]] = {
    "table": TableArtifact,
    "numeric": NumericArtifact,
    "boolean": BoolArtifact,
}


def _missing(artifact: Artifact, name: str) -> str:
    """Return why an artifact has no attribute of this name, and which artifacts have it."""
    owners = [one.__name__ for one in _CLASSES.values() if hasattr(one, name)]
    kind = type(artifact).__name__
    if not owners or name.startswith("_"):
        return f"{kind!r} object has no attribute {name!r}. The value may have it: .get() returns that."
    unknown = " Its type is known once it is computed." if artifact.source.type == "untyped" else ""
    have = "have" if len(owners) > 1 else "has"
    return f"{artifact!r} has no {name!r}: {' and '.join(owners)} {have} it.{unknown}"


def artifact_from(source: ArtifactSource) -> Artifact:
    """Return the artifact for a source, of the class that its type asks for."""
    return _CLASSES.get(source.type, GenericArtifact)(source)


def artifact_for(node: ArtifactNode) -> Artifact:
    """Return the artifact for a node of this process's graph."""
    return artifact_from(GraphSource(node))


def _one_bound(given: Mapping[str, Any]) -> tuple[str, float]:
    """Return the bound that was given, as a plain number."""
    chosen = {name: value for name, value in given.items() if value is not None}
    if len(chosen) != 1:
        what = f"{' and '.join(chosen)} were given" if chosen else "none was given"
        raise AuthoringError(f"bound needs one of {', '.join(given)}, but {what}.")
    name, value = next(iter(chosen.items()))
    if isinstance(value, bool) or not isinstance(value, Real):
        raise AuthoringError(f"bound: {name} must be a number, not {value!r} ({type(value).__name__}).")
    # A number of numpy would show in the bound's name, and be needed on the worker.
    return name, int(value) if isinstance(value, Integral) else float(value)
