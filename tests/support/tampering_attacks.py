"""Attacks by someone who can write to the bucket, on a flow that has run twice: ``ATTACKS``, by their names.

    with victim_of(made) as victim:
        with victim.attacked_by(ATTACKS["a pickle for 'total'"]):
            found = victim.read()
        assert victim.lies(found) == {} and not victim.marker.exists()

Each attack changes objects, and what it changed is put back. Code that runs makes a folder, the marker.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas

from aqueduct_provider.runner.codecs import dump_pickle, encode
from aqueduct_provider.runner.parquet_files import in_memory, note
from aqueduct_provider.runner.pickles import pack_elements
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout, published
from tests.support.tampering_victim import NAMES, Bomb, Victim

Attack = Callable[[Victim], None]
ATTACKS: dict[str, Attack] = {}


def attack(name: str) -> Callable[[Attack], Attack]:
    """Add an attack to the list."""

    def add(act: Attack) -> Attack:
        ATTACKS[name] = act
        return act

    return add


def _pickled(victim: Victim, name: str, kind: str, data: bytes | None = None) -> None:
    victim.put(victim.layout().content(victim.id(name)), data or victim.bomb())
    victim.say(name, kind, "pickle")


TYPES = {
    **dict.fromkeys(("rows", "total"), "numeric"),
    **dict.fromkeys(("table", "cells"), "table"),
    **{"many": "boolean", "text": "string", "raw": "bytes", "picture": "image", "pair": "tuple"},
    "model": "picklable",
}
for _name in NAMES:
    ATTACKS[f"a pickle for '{_name}'"] = partial(_pickled, name=_name, kind="picklable")
    ATTACKS[f"a pickle for '{_name}' as its own type"] = partial(_pickled, name=_name, kind=TYPES[_name])


@attack("a pickle in place of the content alone")
def _content_only(victim: Victim) -> None:
    for name in NAMES:
        victim.put(victim.layout().content(victim.id(name)), victim.bomb())


@attack("metadata that says pickle")
def _metadata_only(victim: Victim) -> None:
    for name in NAMES:
        victim.say(name, "picklable", "pickle")


@attack("metadata that says Keras")
def _keras(victim: Victim) -> None:
    victim.put(victim.layout().content(victim.id("model")), b"PK")
    victim.say("model", "tensorflow-keras-model", "tensorflow-keras-model")


@attack("a pickle in an element of a tuple")
def _element(victim: Victim) -> None:
    data = pack_elements((1, 2), lambda _item: ("pickle", victim.bomb()))
    _pickled(victim, "pair", "tuple", data)


def _parquet(victim: Victim, name: str, data: bytes) -> None:
    victim.put(victim.layout().content(victim.id(name)), data)
    victim.say(name, "table", "parquet")


@attack("a table with pickles in its cells")
def _cells(victim: Victim) -> None:
    frame = pandas.DataFrame({"n": [Bomb(victim.marker)]})
    for name in ("table", "cells"):
        _parquet(victim, name, encode(frame, "table", "parquet", dump_pickle).data)


@attack("a table with a pickle in its note")
def _note(victim: Victim) -> None:
    import pyarrow

    bomb = base64.b64encode(victim.bomb()).decode()
    facts = note("pandas", columns={"n": {"dtype": "int64", "pickle": bomb}}, attrs={"pickle": bomb})
    _parquet(victim, "table", in_memory(pyarrow.table({"n": [1]}), facts))


@attack("an image that another program reads")
def _postscript(victim: Victim) -> None:
    page = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n%%EndComments\nshowpage\n"
    victim.put(victim.layout().content(victim.id("picture")), page)


@attack("other numbers")
def _numbers(victim: Victim) -> None:
    for name in ("rows", "total"):
        victim.put(victim.layout().content(victim.id(name)), b"999")


@attack("checks that are turned round")
def _checks(victim: Victim) -> None:
    for run in (0, 1):
        victim.put(victim.layout(run).content(victim.id("many")), b"false")


@attack("artifacts of two runs that are swapped")
def _two_runs(victim: Victim) -> None:
    for name in NAMES:
        for key in (NativeLayout.content, NativeLayout.metadata):
            victim.swap(key(victim.layout(0), victim.id(name)), key(victim.layout(1), victim.id(name)))


@attack("artifacts of one run that are swapped")
def _one_run(victim: Victim) -> None:
    victim.swap(*(victim.layout().content(victim.id(name)) for name in ("rows", "total")))


@attack("metadata that is gone")
def _no_metadata(victim: Victim) -> None:
    for name in NAMES:
        victim.put(victim.layout().metadata(victim.id(name)), None)


@attack("content that is gone, and a mark with other numbers")
def _forged_mark(victim: Victim) -> None:
    numbers = {victim.id("total"): 999, victim.id("many"): False, victim.id("rows"): 77}
    mark = {"at": "2026-01-01T00:00:00+00:00", "by": "k_latest_runs", "keep": 1, "version": "x"}
    for name in ("total", "many", "rows"):
        victim.put(victim.layout().content(victim.id(name)), None)
    victim.put(victim.layout().pruned_mark, json.dumps({**mark, "numbers": numbers}).encode())


def _states(victim: Victim, **fields: Any) -> None:
    for operator in victim.flow.spec.operators:
        victim.edit(victim.layout().exec_state(operator.id), lambda document: document.update(fields))


@attack("exec states that say that all failed")
def _all_failed(victim: Victim) -> None:
    _states(victim, status="failed", failure_type=2)


@attack("exec states that say that checks only warned")
def _all_warned(victim: Victim) -> None:
    _states(victim, status="failed", failure_type=3)


@attack("exec states that name no version")
def _no_version(victim: Victim) -> None:
    _states(victim, version=str(uuid.uuid4()))


@attack("exec states that are gone")
def _no_states(victim: Victim) -> None:
    for operator in victim.flow.spec.operators:
        victim.put(victim.layout().exec_state(operator.id), None)


def _swap_names(document: Any, one: str, other: str) -> None:
    names = {one: other, other: one}
    for artifact in document["artifacts"]:
        artifact["name"] = names.get(artifact["name"], artifact["name"])


@attack("a spec in which two artifacts have changed their names")
def _renamed(victim: Victim) -> None:
    victim.edit(victim.spec_key, lambda document: _swap_names(document, "rows", "total"))


@attack("another version, whose spec has swapped names, in exec states and record")
def _other_version(victim: Victim) -> None:
    other = str(uuid.uuid4())

    def change(document: Any) -> None:
        _swap_names(document, "rows", "total")
        document["version"]["id"] = other

    document = json.loads(victim.made.store.get(victim.spec_key))
    change(document)
    key = FlowLayout(victim.flow.record.flow_id).version(other)
    victim.put(key, json.dumps(document).encode())
    _states(victim, version=other)
    victim.edit(published("victim"), lambda record: record.update(version_id=other))


@attack("a spec in which everything is picklable, and pickles")
def _all_picklable(victim: Victim) -> None:
    def change(document: Any) -> None:
        for artifact in document["artifacts"]:
            artifact["type"] = "picklable"
        for parameter in document["parameters"]:
            parameter["type"] = "untyped"

    victim.edit(victim.spec_key, change)
    for name in NAMES:
        _pickled(victim, name, "picklable")


@attack("a record that names another Airflow, and other numbers")
def _other_engine(victim: Victim) -> None:
    victim.edit(published("victim"), lambda record: record.update(engine="nowhere"))
    _numbers(victim)


@attack("a record that names another flow's objects")
def _other_flow(victim: Victim) -> None:
    other = json.loads(victim.made.store.get(published("bystander")))
    taken = {name: other[name] for name in ("flow_id", "version_id", "spec_sha256")}
    victim.edit(published("victim"), lambda record: record.update(taken))


@attack("records of two flows that have changed their names")
def _two_names(victim: Victim) -> None:
    victim.edit(published("victim"), lambda record: record.update(name="bystander"))
    victim.edit(published("bystander"), lambda record: record.update(name="victim"))
