"""The demo from beginning to end: servers, flow, run, results, verdict. ``--keep`` leaves it running."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demo.draft import Draft
from demo.flow import wine_flow
from demo.local_s3 import BUCKET, artifact_store, local_s3, s3_client
from demo.progress import watch
from demo.results import Results
from tests.integration.place import install_loader
from tests.integration.stack import AirflowStack
from tests.integration.waiting import wait_for
from tools.environments import index_settings

if TYPE_CHECKING:
    from rich.console import Console

TREES = 50
RUN_SECONDS = 150
# How the environment's room tells of its work in the task logs.
_ENVIRONMENT = re.compile(r"Building a Python .*|Environment \w+ (?:built in [\d.]+ s|reused)")


@dataclass(frozen=True)
class Demo:
    """The running servers and the flow."""

    airflow: AirflowStack
    endpoint: str
    flow: Draft
    console: Console


def main() -> int:
    """Run the demo; 0 when all that it promises came true."""
    from rich.console import Console

    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    keep = parser.parse_args().keep
    console, started = Console(), time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="aqueduct-demo-") as name, ExitStack() as servers:
            demo = start(Path(name), console, servers)
            good = show(demo)
            console.print(f"{'PASSED' if good else 'FAILED'} after {time.monotonic() - started:.0f} s.")
            if keep:
                stay(demo)
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return 130
    return 0 if good else 1


def start(home: Path, console: Console, servers: ExitStack) -> Demo:
    """Start S3 and Airflow, and drop the flow's spec into the DAG folder."""
    with console.status("Starting an S3 server and Airflow on 127.0.0.1 ..."):
        endpoint = servers.enter_context(local_s3(home))
        airflow = servers.enter_context(AirflowStack(home / "airflow", index_settings()))
    console.print(f"Airflow: {airflow.login.url}   {login_hint(airflow)}", highlight=False)
    flow = wine_flow(artifact_store(home, endpoint))
    install_loader(airflow.dags)
    spec = flow.publish(s3_client(endpoint), BUCKET, airflow.dags)
    console.print(
        f"Spec: {spec.name} ({spec.stat().st_size:,} bytes, {len(flow.archives)} function archives in S3)"
    )
    return Demo(airflow, endpoint, flow, console)


def show(demo: Demo) -> bool:
    """Run the flow and show what it left; whether that is as promised."""
    client, flow, console = demo.airflow.client, demo.flow, demo.console
    with console.status("Airflow is reading the spec ..."):
        wait_for(lambda: flow.dag_id in client.dags(tag=flow.version), what="the DAG", seconds=60)
    run_id = client.trigger(flow.dag_id, {"n_estimators": TREES})
    console.print(f"Triggered by REST with n_estimators = {TREES}; its default is 10.")
    tasks = [operator["task_id"] for operator in flow.document()["operators"]]
    state = watch(client, flow.dag_id, run_id, tasks, console, seconds=RUN_SECONDS)
    if state != "success":
        console.print(f"The run ended as {state!r}.", style="red")
        failed = [task for task, ended in client.states(flow.dag_id, run_id).items() if ended == "failed"]
        for task in failed:
            console.print(client.log(flow.dag_id, run_id, task), markup=False, highlight=False)
        return False
    for task in tasks:
        for line in _ENVIRONMENT.findall(client.log(flow.dag_id, run_id, task)):
            console.print(f"  {task}: {line.strip()}", markup=False, highlight=False)
    return judge(Results(s3_client(demo.endpoint), BUCKET, flow, run_id), console)


def judge(results: Results, console: Console) -> bool:
    """Show the artifacts and say what the metric and the check said."""
    console.print(results.table())
    console.print("The table 'answers' begins:", results.first_rows("answers"), sep="\n", highlight=False)
    share, good = results.value("share"), results.value("good")
    console.print(f"Metric: {share:.1%} of the unseen wines were told right. Check: passed = {good}.")
    return bool(
        good and results.value("n_estimators") == TREES and set(results.statuses().values()) == {"succeeded"}
    )


def stay(demo: Demo) -> None:
    """Wait for Ctrl-C."""
    url = f"{demo.airflow.login.url}/dags/{demo.flow.dag_id}"
    demo.console.print(f"Running until Ctrl-C: {url}", highlight=False)
    demo.console.print(login_hint(demo.airflow), highlight=False)
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def login_hint(airflow: AirflowStack) -> str:
    """How to log in to the UI."""
    return f"(user {airflow.login.user}, password {airflow.login.password})"


if __name__ == "__main__":
    # Ended politely, the demo still ends what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
