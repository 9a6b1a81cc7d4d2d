"""Stage 3, ``AqueductOperator``: one operator of a flow as one Airflow task.

In: the flow's spec and the operator in it, set when the DAG is parsed. Out: what ``execution`` leaves in the
store, and a manifest of keys and digests as XCom. The path from inputs to exec state stands in
``execution/attempt.py``, so that it runs without Airflow; this file only translates to and from Airflow.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, BaseOperator

from aqueduct_provider.errors import AqueductError, OperatorFailed, is_retryable
from aqueduct_provider.spec.models import Operator, WorkflowSpec

if TYPE_CHECKING:
    from aqueduct_provider.execution.attempt import Attempt


class AqueductOperator(BaseOperator):
    """Runs one operator of a flow. ``DagFactory`` makes these; other arguments are those of any operator.

    Fails the task without retry where running it again would end the same way.

    :param workflow: the flow's spec.
    :param operator: the operator in it.
    """

    # No templates: queries and texts of a spec are the user's own, and may hold braces or secrets.
    template_fields: Sequence[str] = ()
    shallow_copy_attrs: Sequence[str] = ("workflow", "operator")
    ui_color = "#e4f0fa"

    def __init__(self, *, workflow: WorkflowSpec, operator: Operator, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.workflow = workflow
        self.operator = operator
        self._attempt: Attempt | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        """Run the operator and give its manifest: keys, digests and sizes of its artifacts, never data."""
        # What Airflow has loaded is not garbage: without this, making the S3 client spends 0.1 s finding out.
        gc.freeze()
        try:
            manifest = self._run(context)
        except AqueductError as error:
            raise self._report(error) from None
        finally:
            gc.unfreeze()
        if manifest["status"] == "warning":
            self.log.warning(
                "Check %r did not pass. Its severity is 'warning': the flow goes on.", self.task_id
            )
        return manifest

    def on_kill(self) -> None:
        """End the child process and all that it started. On Airflow 3 ``execute`` goes on, and raises."""
        if self._attempt is not None:
            self._attempt.kill()

    def _run(self, context: Any) -> dict[str, Any]:
        from aqueduct_provider.execution.attempt import Attempt
        from aqueduct_provider.execution.task import Task
        from aqueduct_provider.operators.dates import run_dates
        from aqueduct_provider.operators.worker import worker_for
        from aqueduct_provider.spec.values import values_from_conf

        task = Task(
            workflow=self.workflow,
            operator=self.operator,
            run_id=context["run_id"],
            params=context["params"],
            inputs=self._inputs(context["ti"]),
            given=values_from_conf(context["dag_run"].conf),
            dates=run_dates(context),
        )
        self._attempt = Attempt(task, worker_for(self.workflow, self._log_line))
        return self._attempt.run().to_xcom()

    def _log_line(self, _: str, line: str) -> None:
        """Log what the child prints. Airflow masks secrets in a task's log, not where it echoes that log."""
        self.log.info("%s", self.workflow.redact(line))

    def _inputs(self, ti: Any) -> dict[str, Any]:
        """The operator's inputs as the tasks before it left them; one XCom request for each task."""
        from aqueduct_provider.artifacts.manifest import manifest_from_xcom

        sources = {artifact: self.workflow.producer(artifact).task_id for artifact in self.operator.inputs}
        manifests = {
            task_id: manifest_from_xcom(ti.xcom_pull(task_ids=task_id), task_id)
            for task_id in dict.fromkeys(sources.values())
        }
        return {artifact: manifests[task_id].artifacts[artifact] for artifact, task_id in sources.items()}

    def _report(self, error: AqueductError) -> AirflowException:
        """Log the user's own traceback, once, and give the error that tells Airflow whether to try again."""
        if isinstance(error, OperatorFailed) and error.context:
            self.log.error("%s\n%s", error, error.context)
        kind = AirflowException if is_retryable(error) else AirflowFailException
        return kind(str(error))
