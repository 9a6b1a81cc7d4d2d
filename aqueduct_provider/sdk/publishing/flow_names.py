"""The names of a flow and of what is in it: names that users gave -> ids that Airflow and object keys hold.

All of them depend on the flow alone: published again unchanged, everything keeps its id, so that values of
different runs can be compared. Pure.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.nodes import (
    ArtifactNode,
    OperatorNode,
    artifacts_of,
    numbered,
    without_number,
)
from aqueduct_provider.sdk.own_frames import shown_place

# What the spec allows to identifiers.
MAX_ID = 200
# The flow's asset has its name as address; Airflow's column for it holds 1500 characters.
_MAX_ADDRESS = 1400

_OUTSIDE_IDS = re.compile(r"[^A-Za-z0-9_.-]")
# Airflow's side keeps DAG ids with these beginnings for itself; identifiers do not begin with a dot.
_RESERVED = ("__", "broken_spec__", ".")


def check_flow_name(name: str) -> None:
    """Raise ``AuthoringError`` unless a flow can have this name."""
    if not isinstance(name, str):
        raise AuthoringError(f"A flow's name is text, not {name!r}.")
    if not name.strip():
        raise AuthoringError("A flow needs a name: give name=... to publish_flow.")
    # Cc: control characters; Cs: half of a surrogate pair.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise AuthoringError(
            f"The flow's name {name!r} holds control characters, such as line ends or tabs; give one line of "
            "text."
        )
    if len(address_of(name)) > _MAX_ADDRESS:
        raise AuthoringError(
            f"The flow's name has {len(name)} characters, more than Airflow can hold; give a shorter one and "
            "put the rest into description=..."
        )


def address_of(name: str) -> str:
    """Return the flow's address: its asset in Airflow."""
    return f"aqueduct://{quote(name, safe='')}"


def flow_id_of(name: str) -> str:
    """Return the flow's id: the same for every version that is published under this name, from wherever."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, address_of(name)))


def dag_id_of(name: str) -> str:
    """Make the Airflow DAG id of a flow: its name, readable. Names that differ in other signs only share it.

    A name of which nothing readable is left gets a part of the flow's id instead.
    """
    slug = slug_of(name)
    if not slug.strip("_.-"):
        return f"flow_{flow_id_of(name)[:8]}"
    return f"flow_{slug}"[:MAX_ID] if slug.startswith(_RESERVED) else slug


def slug_of(name: str) -> str:
    """Return ``name`` with ``_`` for every character that ids may not have, cut to their length."""
    return _OUTSIDE_IDS.sub("_", name)[:MAX_ID]


def unique_slugs(names: Iterable[str]) -> list[str]:
    """Return an identifier for each name, no two alike: ``train``, ``train_1``, ..."""
    free = _Free((), lambda base, number: base[: MAX_ID - len(f"_{number}")] + f"_{number}")
    slugs = (re.sub(r"^\.|^$", "_", slug_of(name)) for name in names)
    return [free.name(slug, slug) for slug in slugs]


def is_explicit(artifact: ArtifactNode) -> bool:
    """Return whether a user chose the artifact's name; parameters of ``create_param`` have such names."""
    parameter = artifact.producer.parameter
    return artifact.named or (parameter is not None and not parameter.implicit)


def artifact_names(operators: Sequence[OperatorNode]) -> dict[ArtifactNode, str]:
    """Return the name of every output in the flow, no two alike.

    Explicit names stay as they are; the others get a counter where they are taken: ``f artifact (1)``.

    :param operators: of the flow, in the order of creation.
    :raises AuthoringError: an explicit name is used twice; with all of those.
    """
    artifacts = list(artifacts_of(operators))
    explicit: defaultdict[str, list[ArtifactNode]] = defaultdict(list)
    for artifact in filter(is_explicit, artifacts):
        explicit[artifact.name].append(artifact)
    collisions = [
        f"{_collision(name, same)}{_places(same)}" for name, same in explicit.items() if len(same) > 1
    ]
    if collisions:
        raise AuthoringError("\n".join(collisions))
    names = {artifact: artifact.name for artifact in artifacts if is_explicit(artifact)}
    free = _Free(explicit, numbered)
    return {
        artifact: names.get(artifact) or free.name(artifact.name, without_number(artifact.name))
        for artifact in artifacts
    }


def _collision(name: str, artifacts: Sequence[ArtifactNode]) -> str:
    if all(artifact.producer.kind == "param" for artifact in artifacts):
        return (
            f"There are {len(artifacts)} parameters named {name!r} in this flow, with different defaults or "
            "descriptions. Use one of them everywhere, or give one another name in create_param(...)."
        )
    makers = " and ".join(repr(artifact.producer.name) for artifact in artifacts)
    return (
        f"There are {len(artifacts)} artifacts named {name!r} in this flow, made by the operators {makers}. "
        "Rename one with artifact.set_name(...), or give its operator other outputs=[...]."
    )


def _places(artifacts: Sequence[ArtifactNode]) -> str:
    """Return the lines that recorded the makers of the artifacts."""
    places = dict.fromkeys(shown_place(artifact.producer.place_of_call) for artifact in artifacts)
    return "".join(f"\n  at {place}" for place in places if place)


class _Free:
    """Gives names that are not taken yet.

    :param with_number: returns a name with a number.
    """

    def __init__(self, taken: Iterable[str], with_number: Callable[[str, int], str]) -> None:
        self._taken, self._with_number = set(taken), with_number
        self._counters: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))

    def name(self, wanted: str, base: str) -> str:
        """Return the wanted name; where it is taken, the base with the next free number."""
        while wanted in self._taken:
            wanted = self._with_number(base, next(self._counters[base]))
        self._taken.add(wanted)
        return wanted
