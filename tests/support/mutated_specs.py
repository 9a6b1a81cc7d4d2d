"""Random edits of specs of both dialects: whatever lies in a folder of specs, only ``SpecError`` comes out.

``python -m tests.support.mutated_specs COUNT [SEED]`` reads so many and reports what else came out, and
the slowest.
"""

from __future__ import annotations

import copy
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec import loader
from tests.support.example_specs import (
    POSTGRES_EXTRACT,
    POSTGRES_LOAD,
    SHA256,
    compiled_document,
    extract_task,
    load_task,
    native_document,
    operator,
)

GENUINE = Path(__file__).parents[1] / "genuine"

# Repeated until they have the length that is wanted: what makes parsers slow, deep, or wrong.
_PIECES = (
    "a", " ", "\n", "\t", "(", ")", "[", "]", "{", '"', "'", "\\", "/", ".", ",", ";", ":", "@", "#", "%41",
    "=", "*", "-", "0", "9", "1.", ">1,", "1,", "a>1,", "a.", "a @ ", "://", "a:b@", "&a=b", "{x}", "$1", "`",
    "é", "\u0315\u0300", "\u200b", "\ud800", "\0", "os_name=='a' and ", "(os_name=='a' or ", "../", "[[",
    '{"a":', "aws_secret_access_key = ", "${A}", "<b>", "SELECT ", "--", "/*",
)  # fmt: skip
_STARTS = (
    "", "a", "a;", "a @ http://", "a==1", "a; ", "* * * * ", "[", "mongodb://u:p@h/?", "s3://", "@daily",
    "1!",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, 1e308, -1e-300, 2**63, -(2**63) - 1, 2**64, 10**400, float("nan"),
    float("inf"), "", [], {}, [[]], [None], {"": None}, {"type": "cron"}, {"$schema": 1}, "compile_airflow",
    "1", "NaN", "3.11", SHA256, "UTC", "Europe/Berlin", "0 6 * * *", "cloudpickle==3.1.1",
)  # fmt: skip
_MAX_BYTES = 300_000


@dataclass
class Result:
    """How a campaign went.

    :param foreign: what came out that is not a ``SpecError`` -> how often, and the seed of one of them.
    :param slowest: seconds of computing of the slowest spec, and its seed.
    """

    count: int = 0
    valid: int = 0
    refused: int = 0
    foreign: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)


def originals() -> list[dict[str, Any]]:
    """Return the specs that are edited: genuine ones of the original, and ours with all their fields."""
    compiled = compiled_document()
    compiled["task_specs"] |= {
        "read": extract_task("read", filepath='["a.csv", "b.csv"]'),
        "save": load_task("save", inputs=["read"]),
        "rows": extract_task("rows", **copy.deepcopy(POSTGRES_EXTRACT)),
        "table": load_task("table", inputs=["rows"], **copy.deepcopy(POSTGRES_LOAD)),
        "documents": extract_task(
            "documents",
            connector_name="MongoDB",
            connector_config={"auth_uri": "mongodb://u:p@h/?tls=true", "database": "d"},
            parameters={"collection": "c", "query_serialized": '{"args": [{"a": 1}]}'},
        ),
    }
    compiled["task_edges"] |= {"read": ["save"], "rows": ["table"]}
    native = native_document()
    native["operators"] += [
        operator("rows", "extract", source=_source("Postgres", queries=["select 1", "select * from $"])),
        operator(
            "documents", "extract", source=_source("MongoDB", collection="c", query={"args": [{"a": "b"}]})
        ),
        {
            **operator("save", "load", inputs=["rows"], target=_source("S3", filepath="a.csv", format="CSV")),
            "outputs": [],
        },
    ]
    native["artifacts"] += [
        {"id": f"{name}-value", "name": name, "type": "table"} for name in ("rows", "documents")
    ]
    native["operators"][1] |= {"fuse": "g", "after": ["threshold"], "resources": {"num_cpus": 2}}
    native["operators"][1]["code"] |= {"custom_args": '{"a": 1}', "views": ["pandas"]}
    waiting = native_document(schedule={"type": "after_flows", "flows": ["other", "one more"]})
    assets = native_document(schedule={"type": "assets", "assets": ["s3://bucket/sales.parquet"]})
    genuine = [json.loads(path.read_text("utf-8")) for path in sorted(GENUINE.glob("*.json"))]
    return [native, compiled, waiting, assets, *genuine]


def _source(connector: str, **fields: Any) -> dict[str, Any]:
    return {"connector": connector, "connection_id": "c", **fields}


_ORIGINALS = originals()


def mutated(seed: int) -> bytes:
    """Return a spec after a few random edits of its tree, and sometimes of its text; the same for a seed."""
    chance = random.Random(seed)
    document: Any = copy.deepcopy(chance.choice(_ORIGINALS))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        document = _edited(document, chance)
    data = json.dumps(document, ensure_ascii=chance.random() < 0.8).encode("utf-8", "surrogatepass")
    if chance.random() < 0.25:
        place, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        end = min(end, place + chance.choice((0, 1, 3, 20)))
        data = (
            data[:place]
            + _text(chance, chance.choice((1, 20, 5000))).encode("utf-8", "surrogatepass")
            + data[end:]
        )
    return data


def _edited(document: Any, chance: random.Random) -> Any:
    places = list(_places(document))
    if not places:
        return _value(chance)
    holder, key = chance.choice(places)
    edit = chance.choice(_EDITS)
    edit(holder, key, chance)
    return document


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    waiting = [node]
    while waiting:
        item = waiting.pop()
        keys: Any = item if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            yield item, key
            waiting.append(item[key])


def _replace(holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = _value(chance)


def _lengthen(holder: Any, key: Any, chance: random.Random) -> None:
    size = chance.choice((5, 50, 300, 1999, 5000, 20_000, 100_000))
    holder[key] = _text(chance, size)


def _remove(holder: Any, key: Any, _: random.Random) -> None:
    del holder[key]


def _double(holder: Any, key: Any, chance: random.Random) -> None:
    times = chance.choice((1, 1, 5, 100))
    size = len(json.dumps(holder[key]))
    for number in range(min(times, _MAX_BYTES // (size + 1))):
        if isinstance(holder, list):
            holder.insert(key, holder[key])
        else:
            holder[f"{key}{number}"] = holder[key]


def _swap(holder: Any, key: Any, chance: random.Random) -> None:
    other = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


def _nest(holder: Any, key: Any, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 40, 95, 150))):
        holder[key] = [holder[key]] if chance.random() < 0.5 else {"a": holder[key]}


def _rename(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        holder[_text(chance, chance.choice((1, 5, 300, 20_000)))] = holder.pop(key)


def _as_text(holder: Any, key: Any, _: random.Random) -> None:
    holder[key] = json.dumps(holder[key])


_EDITS: tuple[Callable[[Any, Any, random.Random], None], ...] = (
    _replace, _replace, _lengthen, _lengthen, _remove, _double, _swap, _nest, _rename, _as_text,
)  # fmt: skip


def _value(chance: random.Random) -> Any:
    return (
        copy.deepcopy(chance.choice(_VALUES))
        if chance.random() < 0.6
        else _text(chance, chance.randrange(60))
    )


def _text(chance: random.Random, size: int) -> str:
    pieces = [chance.choice(_PIECES) for _ in range(chance.choice((1, 1, 2, 5)))]
    body = "".join(pieces)
    return (chance.choice(_STARTS) + body * (size // len(body) + 1))[:size]


def check(data: bytes) -> bool:
    """Read a spec; whether it is valid. Whatever is not a ``SpecError`` comes out."""
    try:
        spec = loader.parse(data, "mutated.json")
    except SpecError as error:
        problems = error.problems
    else:
        return bool(spec.sha256)
    assert all(problem.path and problem.message for problem in problems)
    return False


def campaign(count: int, seed: int = 0) -> Result:
    """Read so many mutated specs."""
    result = Result()
    for number in range(seed, seed + count):
        data = mutated(number)
        began = time.process_time()
        try:
            valid = check(data)
        except Exception as error:
            result.foreign[f"{type(error).__name__}: {str(error)[:80]} (seed {number})"] += 1
        else:
            result.valid += valid
            result.refused += not valid
        result.slowest = max(result.slowest, (time.process_time() - began, number))
        result.count += 1
    return result


def spread_campaign(count: int, seed: int = 0) -> Result:
    """Read so many mutated specs in as many processes as there are cores; the same specs as one would."""
    share = 500
    parts = [(min(share, count - start), seed + start) for start in range(0, count, share)]
    result = Result()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for part in pool.map(campaign, *zip(*parts, strict=True)):
            result.count += part.count
            result.valid += part.valid
            result.refused += part.refused
            result.foreign += part.foreign
            result.slowest = max(result.slowest, part.slowest)
    return result


if __name__ == "__main__":
    print(spread_campaign(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
