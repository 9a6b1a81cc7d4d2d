"""A flow that has run twice, and all that can be read of it: the victim of ``tampering_attacks.py``."""

from __future__ import annotations

import io
import json
import os
import pickle
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas
from PIL import Image

import aqueduct_provider.sdk as aq
from aqueduct_provider.cli import main
from aqueduct_provider.errors import AqueductError, ObjectNotFound
from aqueduct_provider.sdk.run import Run
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout
from tests.support.deployment import Deployment, features, many, total


@aq.op(requirements=["pandas"], outputs=["cells"])
def cells(rows: int) -> pandas.DataFrame:
    return pandas.DataFrame({"sets": [{rows}]})


@aq.op(requirements=[], outputs=["text"])
def text(rows: int) -> str:
    return f"{rows} rows"


@aq.op(requirements=[], outputs=["raw"])
def raw(rows: int) -> bytes:
    return bytes([rows])


@aq.op(requirements=["pillow"], outputs=["picture"])
def picture(rows: int) -> Any:
    return Image.new("RGB", (rows, 1))


@aq.op(requirements=[], outputs=["pair"])
def pair(rows: int) -> tuple[int, int]:
    return rows, rows


@aq.op(requirements=[], outputs=["model"])
def model(rows: int) -> set[int]:
    return {rows}


FAILED = "the command failed"
NAMES = ("rows", "table", "cells", "total", "many", "text", "raw", "picture", "pair", "model")


class Bomb:
    """Makes the marker when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.marker,)


@dataclass
class Victim:
    """A flow that has run twice, and everything that can be read of it."""

    made: Deployment
    flow: aq.Flow
    runs: list[Run]
    marker: Path
    truth: dict[str, Any] = field(default_factory=dict)
    _before: dict[str, bytes | None] = field(default_factory=dict)

    def layout(self, run: int = 0) -> NativeLayout:
        """The keys of a run."""
        return NativeLayout(self.flow.record.flow_id, self.runs[run].run_id)

    def id(self, name: str) -> str:
        """The id of an artifact."""
        return next(one.id for one in self.flow.spec.artifacts if one.name == name)

    def bomb(self) -> bytes:
        """A pickle that makes the marker."""
        return pickle.dumps(Bomb(self.marker))

    def get(self, key: str) -> bytes | None:
        """An object; None where there is none."""
        try:
            return self.made.store.get(key)
        except ObjectNotFound:
            return None

    def put(self, key: str, data: bytes | None) -> None:
        """Replace an object, or delete it, until the attack is over."""
        self._before.setdefault(key, self.get(key))
        if data is None:
            self.made.store.delete([key])
        else:
            self.made.store.put(key, data)

    def swap(self, one: str, other: str) -> None:
        """Exchange two objects."""
        first, second = self.get(one), self.get(other)
        self.put(one, second)
        self.put(other, first)

    def say(self, name: str, kind: str, serialization: str, run: int = 0) -> None:
        """Change what the metadata of an artifact says."""
        facts = {
            "artifact_type": kind,
            "serialization_type": serialization,
            "encoding": f"{serialization}/v1",
        }
        self.put(self.layout(run).metadata(self.id(name)), json.dumps(facts).encode())

    def edit(self, key: str, change: Callable[[Any], Any]) -> None:
        """Change an object that is JSON."""
        document = json.loads(self.made.store.get(key))
        changed = change(document)
        self.put(key, json.dumps(document if changed is None else changed).encode())

    @property
    def spec_key(self) -> str:
        """The spec of the version that has run."""
        return FlowLayout(self.flow.record.flow_id).version(self.flow.record.version_id)

    @contextmanager
    def attacked_by(self, attack: Callable[[Victim], None]) -> Iterator[None]:
        """Put back all that an attack has changed."""
        try:
            attack(self)
            yield
        finally:
            for key, data in self._before.items():
                self.put(key, data)
            self._before.clear()

    def read(self, *, trust_store: bool = False) -> dict[str, Any]:
        """Read everything, as someone new who has read nothing yet: what it is, or the error."""
        session = type(self.made.session)(self.made.session.profile)
        found: dict[str, Any] = {}

        def attempt(label: str, read: Callable[[], Any]) -> Any:
            try:
                found[label] = read()
            except AqueductError as error:
                found[label] = error
            return found[label]

        flow = attempt("flow", lambda: aq.Flow(session, session.registry.find("victim")))
        if isinstance(flow, aq.Flow):
            for number, known in enumerate(self.runs):
                run = attempt("run", lambda: flow.fetch(known.run_id))  # noqa: B023
                if not isinstance(run, Run):
                    continue
                for name in NAMES:
                    attempt(f"{number}.{name}", lambda: run.artifact(name).get(trust_store=trust_store))  # noqa: B023
                attempt(f"{number}.parameters", run.parameters)
                attempt(f"{number}.operators", lambda: [(one.name, one.word) for one in run.operators()])  # noqa: B023
            for name in ("total", "many", "rows"):
                attempt(f"history of {name}", lambda: flow.metric_history(name)["value"].tolist())  # noqa: B023
        for label in ("flow", "run"):
            found.pop(label, None)
        for name in ("total", "text", "table", "model"):
            attempt(f"terminal {name}", partial(self._printed, name))
        return found

    def _printed(self, name: str) -> str:
        output = io.StringIO()
        command = ["artifact", "victim", self.runs[0].run_id, name]
        with redirect_stdout(output), redirect_stderr(io.StringIO()):
            code = main([*command, "--config", str(self.made.session.profile.path), *self._store()])
        return output.getvalue() if code == 0 else FAILED

    def _store(self) -> list[str]:
        store = self.made.session.profile.store
        fields = {"bucket": store.bucket, "endpoint-url": store.endpoint_url, "region": "us-east-1"}
        fields["credentials-path"] = store.credentials_path
        return [part for name, value in fields.items() for part in (f"--{name}", str(value))]

    def lies(self, found: dict[str, Any]) -> dict[str, Any]:
        """What was read and is neither the truth nor an error."""
        told = {label: value for label, value in found.items() if not isinstance(value, AqueductError)}
        return {
            label: value
            for label, value in told.items()
            if value is not FAILED and not same(*_both_shown(label, value, self.truth[label]))
        }


def _both_shown(label: str, found: Any, truth: Any) -> tuple[Any, Any]:
    """Leave out the runs of a history that have no value: a warning says why."""
    if not label.startswith("history of ") or len(found) != len(truth):
        return found, truth
    shown = [number for number, value in enumerate(found) if not pandas.isna(value)]
    return [found[number] for number in shown], [truth[number] for number in shown]


def same(one: Any, other: Any) -> bool:
    """Check that two values that were read are the same."""
    if isinstance(one, pandas.DataFrame):
        return isinstance(other, pandas.DataFrame) and one.equals(other)
    if isinstance(one, Image.Image):
        return isinstance(other, Image.Image) and one.tobytes() == other.tobytes()
    return type(one) is type(other) and bool(one == other)


@contextmanager
def victim_of(made: Deployment) -> Iterator[Victim]:
    """The flow ``victim`` and another one, both of which have run."""
    rows = made.client.create_param("rows", 3)
    first = features(rows)
    number = total(first)
    made.publish("bystander")
    made.run("bystander", rows=9)
    artifacts = [many(number), cells(rows), text(rows), raw(rows), picture(rows), pair(rows), model(rows)]
    flow = made.publish("victim", artifacts=artifacts)
    runs = [made.run("victim", rows=count) for count in (4, 5)]
    victim = Victim(made, flow, runs, made.folder / f"marker-{uuid.uuid4().hex}")
    victim.truth = victim.read()
    yield victim
