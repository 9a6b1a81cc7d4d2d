"""What it costs Airflow's DAG processor to look for changed specs: ``refresh()`` of the bundle over S3.

Against two servers, for moto takes half a second to list 1,000 objects: the lean server answers at once, and
what is left is ours and boto3's. A list that boto3 makes alone stands beside each figure.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import chains
from benchmarks.figures import Figure, Series, duration
from benchmarks.lab import ROOT, Lab, run
from benchmarks.refreshing import Order, Report

PREFIX = "specs/"

LIMIT_REQUESTS = 6
LIMIT_SECONDS = 1.0


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param specs: in the bundle.
    :param times: how often each kind of refresh is measured.
    """

    specs: int
    times: int


FULL, SMOKE = Sizes(specs=5000, times=5), Sizes(specs=5, times=1)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    specs = chains.write(lab.folder, chains.native, sizes.specs)
    with lean_server(lab, specs) as (endpoint, log):
        figures = of_lean(refreshes(lab, endpoint, "bucket", log, sizes), sizes.specs)
    with lab.proxy(0) as proxy:
        store = lab.bucket()
        for path in specs.iterdir():
            store.put(PREFIX + path.name, path.read_bytes())
        return [*figures, *of_moto(refreshes(lab, proxy.endpoint, store.bucket, proxy.log, sizes))]


def of_lean(report: Report, specs: int) -> list[Figure]:
    """The figures with targets."""
    made = sum(report.unchanged_requests.values())
    unchanged, changed, listing = (
        Series(values) for values in (report.unchanged, report.changed, report.listing)
    )
    what = f"refresh of the bundle, {specs} specs"
    most = LIMIT_REQUESTS
    # What stores the new version, for runs that begin with it.
    pins = {method: n for method, n in report.changed_requests.items() if method in ("PUT", "HEAD")}
    rest = sum(report.changed_requests.values()) - sum(pins.values())
    return [
        Figure(
            f"{what}, none changed: requests",
            _listed(report.unchanged_requests),
            "",
            str(made),
            f"at most {most}",
            made <= most,
        ),
        Figure(
            f"{what}, one changed: requests, and those that pin its version",
            f"{_listed(report.changed_requests)}",
            "",
            f"{rest} and {sum(pins.values())}",
            f"at most {most + 1}, without the pins",
            rest <= most + 1,
        ),
        _below(f"{what}, none changed; boto3's list of them alone", unchanged, listing),
        _below(f"{what}, one changed; boto3's list of them alone", changed, listing),
    ]


def of_moto(report: Report) -> list[Figure]:
    """The same against moto, for information."""
    figures = []
    for name, values in (("none", report.unchanged), ("one", report.changed)):
        ours, listing = Series(values), Series(report.listing)
        more = f"{duration(ours.median - listing.median)} more"
        what = f"the same from moto through the proxy, {name} changed; boto3's list alone"
        figures.append(Figure(what, str(ours), str(listing), more))
    return figures


def refreshes(lab: Lab, endpoint: str, bucket: str, log: Path, sizes: Sizes) -> Report:
    """Refreshes of a new bundle, in a new process."""
    credentials = lab.folder / f"{bucket}.credentials"
    credentials.write_text("[default]\naws_access_key_id = benchmark\naws_secret_access_key = benchmark\n")
    extra = {
        "bucket": bucket,
        "region": "us-east-1",
        "endpoint_url": endpoint,
        "credentials_path": str(credentials),
    }
    settings = {
        "AIRFLOW_CONN_AQUEDUCT_DEFAULT": json.dumps({"conn_type": "aqueduct", "extra": extra}),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(lab.folder / f"bundles-{bucket}"),
    }
    order = Order(str(log), endpoint, bucket, PREFIX, sizes.specs, sizes.times)
    command = [sys.executable, "-m", "benchmarks.refreshing"]
    output = run(command, lab.variables() | settings, json.dumps(dataclasses.asdict(order)))
    return Report(**json.loads(output.splitlines()[-1]))


@contextmanager
def lean_server(lab: Lab, specs: Path) -> Iterator[tuple[str, Path]]:
    """The endpoint and the log of a server with these specs."""
    log = lab.folder / "lean.log"
    log.touch()
    command = [sys.executable, "-m", "benchmarks.lean_s3", str(log), str(specs), PREFIX]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}", log
        finally:
            process.terminate()


def _below(what: str, ours: Series, against: Series) -> Figure:
    reached = ours.median <= LIMIT_SECONDS
    target = f"at most {duration(LIMIT_SECONDS)}"
    return Figure(what, str(ours), str(against), duration(ours.median), target, reached)


def _listed(requests: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {method}" for method, number in sorted(requests.items()))
