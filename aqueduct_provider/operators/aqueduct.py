"""Define ``AqueductOperator``: one operator of a flow as one Airflow task, or several that are fused.

In: the flow's spec and the operators in it, set when the DAG is parsed. Out: what ``execution`` leaves in the
store, and a manifest of keys, digests and short values as XCom. The path from inputs to exec state is in
``execution/attempt.py``, so that it runs without Airflow; this file only translates to and from Airflow.
"""

from __future__ import annotations

import gc
import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aqueduct_provider import config
from aqueduct_provider.compat import (
    AirflowException,
    AirflowFailException,
    BaseOperator,
)
from aqueduct_provider.errors import AqueductError, OperatorFailed, is_retryable
from aqueduct_provider.operators.page_links import ArtifactsLink, has_pages
from aqueduct_provider.spec.models import Operator, WorkflowSpec
from aqueduct_provider.spec.redactor import Redactor

if TYPE_CHECKING:
    from aqueduct_provider.execution.attempt import Attempt
    from aqueduct_provider.execution.fused import GroupAttempt
    from aqueduct_provider.execution.task import OperatorTask
    from aqueduct_provider.storage.patience import Patience


EXTRA_LINKS = (ArtifactsLink(),) if has_pages() else ()
# What Airflow calls an operator of each kind, and the colour of its node; the text on it is black.
_FUSED = "fused"
_COLOURS = {
    "function": "#dbe9fd",
    "metric": "#d5f0ee",
    "check": "#fdecc8",
    "param": "#ebe1f9",
    "extract": "#e9efd3",
    "load": "#e3dfd3",
    _FUSED: "#e4e8ec",
}


def kind_of(operators: Sequence[Operator]) -> str:
    """Return what Airflow calls the operator of a task that runs these operators."""
    if len(operators) > 1:
        return _FUSED
    return "metric" if operators[0].type == "system_metric" else operators[0].type


class AqueductOperator(BaseOperator):
    """Runs operators of a flow. ``DagFactory`` makes these; other arguments are those of any operator.

    Fails the task without retry where running it again would end the same way.

    :param workflow: the flow's spec.
    :param operators: one operator of it, or all that have the same ``fuse``, in the order they run in.
    :param aqueduct: what readers of the serialized DAG know of them (``spec/dag_facts.py``).
    """

    # No templates: queries and strings of a spec are the user's own, and may hold braces or secrets.
    template_fields: Sequence[str] = ()
    shallow_copy_attrs: Sequence[str] = ("workflow", "operators")
    operator_extra_links = EXTRA_LINKS
    _redact: Redactor

    def __init__(
        self,
        *,
        workflow: WorkflowSpec,
        operators: Sequence[Operator],
        aqueduct: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.workflow = workflow
        self.operators = tuple(operators)
        self.aqueduct = aqueduct
        # Airflow keeps both for each task, though it declares them for classes.
        self.custom_operator_name = kind_of(self.operators)
        self.ui_color = _COLOURS[self.custom_operator_name]
        self._attempt: Attempt | GroupAttempt | None = None
        self._patience: Patience | None = None
        # The one that the attempt goes by; not that of ``workflow``, for copies of the operator copy it.
        self._spec: WorkflowSpec | None = None

    @classmethod
    def get_serialized_fields(cls) -> frozenset[str]:
        """Return the attributes that Airflow keeps in its database."""
        return frozenset({*super().get_serialized_fields(), "aqueduct"})

    def execute(self, context: Any) -> dict[str, Any]:
        """Run the operators and return their manifest: keys, digests, sizes and short values."""
        self._redact = Redactor(self.workflow.secrets)
        # What Airflow has loaded is not garbage: without this, making the S3 client spends 0.1 s finding out.
        gc.freeze()
        try:
            manifest = self._run(context)
        except AqueductError as error:
            self._tell_left(context)
            self._notify(context, error)
            raise self._report(error) from None
        except AirflowException as error:
            self._notify(context, error)
            raise
        except Exception as error:
            self._notify(context, error)
            self._raise_masked(error)
            raise
        finally:
            gc.unfreeze()
        if manifest.get("status") == "warning":
            self.log.warning(
                "Check %r did not pass. Its severity is 'warning': the flow goes on.", self.task_id
            )
        self._notify(context, None)
        return manifest

    def on_kill(self) -> None:
        """End the child processes and all that they started. On Airflow 3 ``execute`` goes on, and raises."""
        if self._patience is not None:
            self._patience.cancel()
        if self._attempt is not None:
            self._attempt.kill()

    def _run(self, context: Any) -> dict[str, Any]:
        from aqueduct_provider.execution.attempt import Attempt
        from aqueduct_provider.execution.fused import GroupAttempt
        from aqueduct_provider.execution.task import OperatorTask
        from aqueduct_provider.operators.asset_events import describe_flow, describe_saved
        from aqueduct_provider.operators.run_dates import run_dates
        from aqueduct_provider.operators.worker_settings import patience, worker_for
        from aqueduct_provider.operators.xcom import inputs_of, run_task, with_spec
        from aqueduct_provider.runs.pinned_version import spec_of_run
        from aqueduct_provider.spec.flow_plan import flow_plan
        from aqueduct_provider.spec.names import nfc_keys
        from aqueduct_provider.spec.run_values import check_conf, values_from_conf

        task = OperatorTask(
            workflow=self.workflow,
            operator=self.operators[0],
            run_id=context["run_id"],
            # A key of conf in another normal form is next to the flow's own here, and comes after it.
            params=nfc_keys(context["params"]),
            inputs={},
            dates=run_dates(context),
            try_number=context["ti"].try_number,
        )
        try:
            self._patience = patience()
            worker = worker_for(self.workflow, self._log_line, self._patience, self._redact)
            run = run_task(self.task_id, context)
            spec = spec_of_run(self.workflow, run, worker.store)
            operators = self.operators
            if spec is not self.workflow:
                operators = flow_plan(spec).tasks[self.task_id].operators
                worker = worker_for(spec, self._log_line, self._patience, self._redact)
            conf = context["dag_run"].conf
            given = values_from_conf(conf)
            check_conf(conf, spec, pickles=config.pickled_parameters())
            inputs = inputs_of(spec, operators, run)
            task = replace(task, workflow=spec, operator=operators[0], inputs=inputs, given=given)
        except AqueductError as error:
            self._record_refusal(task, error)
            raise
        if task.operator.fuse is None:
            self._attempt = Attempt(task, worker)
        else:
            self._attempt = GroupAttempt([replace(task, operator=one) for one in operators], worker)
        self._spec = spec
        left = self._attempt.run()
        value = with_spec(left, spec)
        if self.outlets:
            describe_saved(context, self.outlets, spec, operators, {**inputs, **left.written()})
            describe_flow(
                context, self.outlets, spec, lambda other: value if other == self.task_id else run.left(other)
            )
        return value

    def _record_refusal(self, task: OperatorTask, error: AqueductError) -> None:
        """Leave the exec state of each operator: the settings may be wrong, and the store be usable."""
        from aqueduct_provider.execution.attempt import record_refusal
        from aqueduct_provider.hooks.aqueduct import store_for
        from aqueduct_provider.storage.patience import Patience

        patience = self._patience or Patience()
        try:
            store = store_for(self.workflow, patience, self._redact)
        except AqueductError as second:
            # Most often it is the same error.
            self.log.debug("The exec state could not be written: %s", self._redact(str(second)))
            return
        for operator in self.operators:
            record_refusal(replace(task, operator=operator), store, patience, self._redact, error)

    def _tell_left(self, context: Any) -> None:
        """Leave the spec that a failed task went by, and the digests of what it has written.

        Readers verify its code, inputs and outputs by them.
        """
        from aqueduct_provider.artifacts.manifest import nothing_left
        from aqueduct_provider.operators.xcom import LEFT_KEY, with_spec

        if self._attempt is None or self._spec is None:
            return
        left = self._attempt.left() or nothing_left(is_group=self.operators[0].fuse is not None)
        try:
            context["ti"].xcom_push(key=LEFT_KEY, value=with_spec(left, self._spec))
        except Exception as error:
            # The reason of the failure is what must be reported.
            self.log.error("What this task has written could not be recorded: %s", error)

    def _notify(self, context: Any, error: Exception | None) -> None:
        """Notify the receivers of checks, and of the flow, whose state this task has changed.

        :param error: why the task fails; None: it succeeds.
        """
        spec = self._spec or self.workflow
        if spec.notifications or any(getattr(one, "notifications", ()) for one in spec.operators):
            from aqueduct_provider.operators.notify import notify_of_task

            notify_of_task(spec, self, self._attempt, context, error, self._redact)

    def _log_line(self, _: str, line: str) -> None:
        """Log what the child prints, from which its secrets are masked already."""
        self.log.info("%s", line)

    def _report(self, error: AqueductError) -> AirflowException:
        """Log the user's own traceback, once, and give the error that lets Airflow try again or not."""
        message = self._redact(str(error))
        if isinstance(error, OperatorFailed) and error.context:
            self.log.error("%s\n%s", message, self._redact(error.context))
        kind = AirflowException if is_retryable(error) else AirflowFailException
        return kind(message)

    def _raise_masked(self, error: Exception) -> None:
        """Raise another error in place of one that would show a secret; Airflow logs its traceback."""
        text = "".join(traceback.format_exception(error))
        masked = self._redact(text)
        if masked != text:
            self.log.error("%s", masked)
            raise AirflowException(self._redact(f"{type(error).__name__}: {error}")) from None
