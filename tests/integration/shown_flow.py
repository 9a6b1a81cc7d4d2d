"""A flow for the pages: artifacts of every kind, and names and values that would act if a page let them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import aqueduct_provider.sdk as aq

# What the worker's own Python has, so that no environment needs to be built.
NEEDS = ["pandas", "pyarrow", "pillow"]
ATTACK = "<img src=x onerror=\"alert('acted')\">"
# The Airflow Variable that the report tries to make, with the login of whoever opens it.
STOLEN = "made_by_a_report"
NAME = f"shown {ATTACK}"
REPORT = f"""<!doctype html>
<html lang="en"><head><title>Report</title></head><body><h1 id="state">did not act</h1>
<script>
document.getElementById("state").textContent = "acted alone";
const body = JSON.stringify({{key: "{STOLEN}", value: "1"}});
const headers = {{"Content-Type": "application/json"}};
for (const path of ["/api/v2/variables", "/api/v1/variables"]) {{
  fetch(new URL(path, location.href), {{method: "POST", credentials: "include", headers, body}});
}}
try {{ parent.document.title = "acted above"; }} catch {{}}
try {{ if (top !== self) top.location = "https://example.com/stolen"; }} catch {{}}
try {{ alert("acted"); }} catch {{}}
</script><img src="https://example.com/pixel.png" alt="">
<a id="above" href="https://example.com/above" target="_top">above</a>
<a id="here" href="https://example.com/here">here</a>
<a id="home" href="/aqueduct/">home</a></body></html>"""


@aq.op(requirements=NEEDS, outputs=["rows"])
def table(weight: float) -> Any:
    """Make a table <img src=x onerror="alert('acted')"> of [a link](javascript:alert(1))."""
    import pandas as pd

    attack = "<img src=x onerror=\"alert('acted')\">"
    print("printed", attack)
    return pd.DataFrame({"weight": [weight, 2.5, None], attack: [attack, "b", "c"]})


@aq.op(requirements=[], outputs=["report"])
def report(page: str) -> str:
    return page


@aq.op(requirements=NEEDS, outputs=["notes"])
def notes(rows: Any) -> str:
    attack = "<img src=x onerror=\"alert('acted')\">"
    return f"# Notes\n\n{len(rows)} rows. {attack} [click](javascript:alert('acted'))\n"


@aq.op(requirements=NEEDS, outputs=["picture"])
def picture(rows: Any) -> Any:
    from PIL import Image

    return Image.new("RGB", (60, 20 * len(rows)), (30, 110, 200))


@aq.op(requirements=[], outputs=["settings"])
def settings(weight: float) -> dict[str, Any]:
    return {"<script>alert('acted')</script>": ["</pre><script>alert('acted')</script>", weight]}


@aq.metric(requirements=NEEDS, output="score")
def score(rows: Any, weight: float) -> float:
    return weight * len(rows)


@aq.check(requirements=[], severity="warning", output="high")
def high(score: float) -> bool:
    return score > 7


def publish(client: aq.Client, *, wait: float) -> aq.Flow:
    """Publish the flow."""
    weight = client.create_param("weight", default=2.25, description=ATTACK)
    rows = table(weight)
    result = score(rows, weight)
    page = client.create_param("page", default=REPORT)
    made = [report(page), notes(rows), picture(rows), settings(weight), high(result)]
    return client.publish_flow(NAME, description=ATTACK, artifacts=made, wait=wait)


def publish_open(client: aq.Client, *, wait: float) -> aq.Flow:
    """Publish another flow, for a user who may see this one alone."""
    made = settings(client.create_param("weight", default=2.25))
    return client.publish_flow("open to its reader", artifacts=[made], wait=wait)


def flow_page(dag_id: str) -> str:
    """Return the address of our page of a flow."""
    return f"/aqueduct/dags/{quote(dag_id, safe='')}"


def run_page(dag_id: str, run_id: str) -> str:
    """Return the address of our page of a run."""
    return f"{flow_page(dag_id)}/runs/{quote(run_id, safe='')}"


def task_page(dag_id: str, run_id: str, task_id: str) -> str:
    """Return the address of our page of a task."""
    return f"{run_page(dag_id, run_id)}/tasks/{quote(task_id, safe='')}"
