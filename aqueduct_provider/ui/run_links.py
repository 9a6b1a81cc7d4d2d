"""Addresses of the pages of runs, and the graph of a run that leads to them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from aqueduct_provider.sdk.display.graph_svg import KINDS, flow_svg

if TYPE_CHECKING:
    from markupsafe import Markup

    from aqueduct_provider.sdk.results.recorded_runs import ShownArtifact, ShownOperator
    from aqueduct_provider.spec.dag_facts import DagFacts, FlowFacts, OutputFacts
    from aqueduct_provider.ui.html import Visit
    from aqueduct_provider.ui.shown_run import ShownRun

log = logging.getLogger(__name__)

# Pixels; a picture of that width can still be read in the narrowest frame.
_FITS = 1_300


@dataclass(frozen=True)
class RunLinks:
    """The addresses of one run's pages."""

    visit: Visit
    run_id: str

    def flow(self) -> str:
        """Return the address of the flow's page."""
        return self.visit.link("dags", self.visit.dag_id)

    def run(self, **query: object) -> str:
        """Return the address of the run's page."""
        return self.visit.link("dags", self.visit.dag_id, "runs", self.run_id, **query)

    def task(self, operator: ShownOperator) -> str:
        """Return the address of an operator on the page of its task."""
        parts = ("dags", self.visit.dag_id, "runs", self.run_id, "tasks", operator.airflow_task_id)
        return f"{self.visit.link(*parts)}#{quote(operator.task_id, safe='')}"

    def body(self, artifact: ShownArtifact, **query: object) -> str:
        """Return the address of an artifact's content."""
        parts = ("dags", self.visit.dag_id, "runs", self.run_id, "artifacts", artifact.id)
        return self.visit.link(*parts, **query)


def picture(run: ShownRun, links: RunLinks) -> Markup:
    """Draw the graph of a run: its operators in the colours of their outcomes, each a link; or nothing."""
    from markupsafe import Markup

    flow = _Picture.of(run.facts)
    if not flow.operators:
        return Markup("")
    statuses = {one.task_id: one.status for one in run.operators}
    to = {one.task_id: links.task(one) for one in run.operators}
    try:
        drawn = flow_svg(flow, statuses, to, css_class="graph")
    except (KeyError, ValueError) as error:
        # The facts come from a database, in which anything may be.
        log.warning("The graph of %r cannot be drawn.", run.dag_id, exc_info=error)
        return Markup("")
    width = int(drawn.partition(' width="')[2].partition('"')[0])
    # Those that are too wide for a page scroll.
    return Markup(drawn.replace('class="graph"', 'class="graph fits"', 1) if width <= _FITS else drawn)


@dataclass(frozen=True)
class _Node:
    """An operator as the picture needs it.

    :param inputs: ids of artifacts.
    """

    task_id: str
    name: str
    type: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    after: Sequence[str] = ()


@dataclass(frozen=True)
class _Picture:
    """A flow as its picture needs it, from the facts of its DAG: those name artifacts by their names."""

    flow: FlowFacts
    artifacts: Sequence[OutputFacts]
    operators: Sequence[_Node]

    @classmethod
    def of(cls, facts: DagFacts) -> _Picture:
        operators = [one for some in facts.tasks.values() for one in some]
        artifacts = [output for one in operators for output in one.outputs]
        ids = {one.name: one.id for one in reversed(artifacts)}
        nodes = [
            _Node(
                task_id=one.task_id,
                name=one.name,
                type=one.kind if one.kind in KINDS else "function",
                inputs=[ids[name] for name in one.inputs if name in ids],
                outputs=[output.id for output in one.outputs],
            )
            for one in operators
        ]
        return cls(facts.flow, artifacts, nodes)
