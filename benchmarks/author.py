"""A flow's author in a process of its own: ``python -m benchmarks.author``.

stdin: JSON, the fields of :class:`Order`. stdout, last line: JSON, the fields of :class:`Report`. Nothing of
this package is loaded when the clock starts.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from dataclasses import dataclass, field
from typing import Any

from benchmarks.task import Clock


@dataclass(frozen=True)
class Order:
    """What is to be published.

    :param folder: of the author's files; ``record()`` of ``flow.py`` gives the last artifact of the flow.
    :param client: arguments of ``aq.Client``.
    :param phases: take the first publication to pieces.
    :param load_check: whether archives are loaded before anything is published.
    """

    folder: str
    client: dict[str, str]
    phases: bool = False
    load_check: bool = True


@dataclass(frozen=True)
class Report:
    """Seconds.

    :param loading: of importing the SDK and the author's files, with all that they import.
    :param recording: of making the client and calling the functions.
    :param first: of ``publish_flow``.
    :param again: of the same call once more.
    :param phases: of the parts of the first.
    """

    loading: float
    recording: float
    first: float
    again: float
    phases: dict[str, float] = field(default_factory=dict)


def main() -> None:
    order = Order(**json.load(sys.stdin))
    # Where publish_flow leaves a copy of the spec.
    os.chdir(order.folder)
    sys.path.insert(0, order.folder)
    clock, pieces = Clock(), Clock()
    with clock.part("loading"):
        aq, flow = _load()
    with clock.part("recording"):
        client, artifact = aq.Client(**order.client), flow.record()
    _ask_no_airflow()
    with clock.part("first"):
        if not order.load_check:
            _leave_out_load_check()
        if order.phases:
            _take_to_pieces(pieces)
        client.publish_flow("benchmark", artifacts=[artifact])
    phases = _phases(pieces, clock.seconds["first"]) if order.phases else {}
    with clock.part("again"):
        client.publish_flow("benchmark", artifacts=[artifact])
    print("\n" + json.dumps(dataclasses.asdict(Report(**clock.seconds, phases=phases))))


def _load() -> tuple[Any, Any]:
    import aqueduct_provider.sdk as aq

    aq.global_config({"lazy": True})
    import flow

    return aq, flow


def _ask_no_airflow() -> None:
    """Leave out Airflow: there is none, and the pauses before it is asked again would be measured, too."""
    from aqueduct_provider.sdk.publishing import deployment

    deployment.show = lambda *_, **__: ""


def _leave_out_load_check() -> None:
    """Publish without loading the archives first, as was done before there was that check."""
    from aqueduct_provider.sdk.packaging import load_check

    load_check.unloadable = lambda archives: [None] * len(archives)


def _take_to_pieces(pieces: Clock) -> None:
    with pieces.part("imports"):
        from aqueduct_provider.sdk.packaging import load_check, package
        from aqueduct_provider.sdk.publishing import compose, upload
        from aqueduct_provider.sdk.resources.profile import StoreProfile
    pieces.watch(StoreProfile, "connect", "client set-up")
    pieces.watch(compose, "compose", "composing")
    pieces.watch(package, "package", "packaging")
    pieces.watch(compose, "_parsed", "check of the spec")
    pieces.watch(upload, "publish", "uploads and delivery")
    pieces.watch(load_check, "unloadable", "load check")


def _phases(pieces: Clock, whole: float) -> dict[str, float]:
    seconds = dict(pieces.seconds)
    inner = ("packaging", "check of the spec", "load check")
    seconds["composing"] -= sum(seconds[name] for name in inner)
    return {**seconds, "rest": whole - sum(seconds.values())}


if __name__ == "__main__":
    main()
