"""A bad spec hides no good one, however it is bad, and comes out as our own error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aqueduct_provider.factory.placeholder_dag import PREFIX
from tests.chaos.conftest import Scale
from tests.support.example_specs import small_document
from tests.support.mutated_specs import spread_campaign
from tests.unit.factory.test_hostile_specs import hostile, with_operators, with_requirement
from tests.unit.factory.test_load_dags import dag_bag

_GOOD = 204
_SECONDS = 2.0

# By what they are made of.
_HOSTILE: dict[str, Any] = {
    "2.8 MB of one requirement": with_requirement("a" + " " * 2_800_000 + "==1"),
    "a marker with 1,900 parentheses": with_requirement("a; " + "(" * 1900),
    "200,000 operators that are none": hostile(operators=[1] * 200_000),
    "5,000 operators in one chain": with_operators(5000),
    "250,000 unknown fields": {"spec_version": 1, **{f"field{number}": 1 for number in range(250_000)}},
    "5,000,000 lists": '{"spec_version": 1, "x": [' + "[]," * 5_000_000 + "1]}",
    "15 MB of text": '{"spec_version": 1, "x": "' + "`" * 15_000_000 + '"}',
    "100,000 levels": "[" * 100_000,
    "bytes": "\ud800",
}


def test_hostile_specs_among_good_ones(tmp_path: Path, scale: Scale, count: Callable[..., None]) -> None:
    names = {f"flow{number:03}" for number in range(_GOOD)}
    for name in names:
        (tmp_path / f"{name}.json").write_text(json.dumps(small_document(name)))
    (tmp_path / "loader.py").write_text(
        "from aqueduct_provider import DagFactory  # airflow dag\n\n"
        "globals().update(DagFactory.dags_in(__file__))\n"
    )
    chosen = list(_HOSTILE.values())[: scale.of(3, len(_HOSTILE))]
    right = 0
    for spec in chosen:
        text = spec if isinstance(spec, str) else json.dumps(spec)
        (tmp_path / "aaa.json").write_bytes(text.encode("utf-8", "surrogatepass"))
        bag = dag_bag(tmp_path)
        others = bag.dags.keys() - names
        right += bag.dags.keys() >= names and bag.import_errors == {} and len(others) <= 1
        right -= any(not other.startswith(PREFIX) and other != "hostile" for other in others)
    count(f"hostile specs among {_GOOD} good ones: all shown, and one placeholder", right, len(chosen))


def test_mutated_specs(scale: Scale, count: Callable[..., None]) -> None:
    result = spread_campaign(scale.of(1500, 300_000), seed=1_000_000)
    seconds, seed = result.slowest
    note = f"{result.valid:,} valid; slowest {seconds:.1f} s of computing (seed {seed})"
    assert seconds < _SECONDS, note
    foreign = result.foreign.total()
    if foreign:
        note += f"; {dict(result.foreign)}"
    count("mutated specs: read, or refused with our own error", result.count - foreign, result.count, note)
