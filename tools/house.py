"""Check what keeps the package in order: ``.venv/bin/python tools/house.py``, a part of ``make lint``.

Print each figure with its limit and where it is exceeded; exit with 1 if one is.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "aqueduct_provider"
# Each system has modules of the same names, by design.
_SYSTEMS = PACKAGE / "connectors"
# A system is known in its own folder. Others that may name it: what is generated from the declarations, names
# that the original's users import, the original's packages, and options of Airflow's Postgres connections.
_SYSTEM = "Redshift"
_NAMED_IN = {
    "spec/schema.json",
    "sdk/enums.py",
    "sdk/resources/connect_config.py",
    "execution/original_packages.py",
    "connectors/postgres/system.py",
}
# Phrases of words.md that read as translated. "is no longer" and "are no longer" are plain English.
_PHRASES = {
    "is no": re.compile(r"\b(?:is|are) no\b(?! longer)"),
    "texts": re.compile(r"\btexts\b"),
    # But for the method of files.
    "told": re.compile(r"\b(?:told|tells?)\b(?!\()"),
    "Stage N": re.compile(r"\bStage [0-9]"),
}


@dataclass(frozen=True)
class Figure:
    """One figure.

    :param places: what counts against the limit, as it is shown.
    """

    name: str
    limit: int
    places: Sequence[str]

    @property
    def holds(self) -> bool:
        return len(self.places) <= self.limit


def main() -> int:
    """Print all figures and return the exit code."""
    figures = [
        Figure(f"source files that mention {_SYSTEM}, outside of its folder", 0, files_that_mention(_SYSTEM)),
        Figure("import circles, of any kind", 0, circles()),
        Figure("class names that are there twice", 0, doubles(class_names())),
        Figure("stems that are there twice", 6, doubles(stems())),
        *(Figure(f"places with {name!r}", 0, places_of(phrase)) for name, phrase in _PHRASES.items()),
    ]
    for figure in figures:
        print(f"{'ok  ' if figure.holds else 'OVER'}  {len(figure.places)} of {figure.limit}  {figure.name}")
        if not figure.holds:
            print(*(f"        {place}" for place in figure.places), sep="\n")
    return 0 if all(figure.holds for figure in figures) else 1


def files_that_mention(system: str) -> list[str]:
    """Return the files outside of the system's folder that name it, but for those that may."""
    own = _SYSTEMS / system.lower()
    return [
        _shown(path)
        for path in sorted(PACKAGE.rglob("*"))
        if path.suffix in (".py", ".json") and own not in path.parents
        if str(path.relative_to(PACKAGE)) not in _NAMED_IN
        if system.lower() in path.read_text("utf-8").lower()
    ]


def circles() -> list[str]:
    """Return one import circle, lazy imports and those for type checking included, or nothing."""
    graph = grimp.build_graph(PACKAGE.name, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return [" -> ".join(reversed(error.args[1]))]
    return []


def class_names() -> Mapping[str, list[str]]:
    """Return where classes are defined, by name."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in _modules():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found[node.name].append(_shown(path))
    return found


def stems() -> Mapping[str, list[str]]:
    """Return where modules are, by stem; those of a system's folder repeat by design."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in _modules():
        if not path.stem.startswith("__") and path.parent.parent != _SYSTEMS:
            found[path.stem].append(_shown(path))
    return found


def doubles(places: Mapping[str, list[str]]) -> list[str]:
    """Return the names that have more than one place, with their places."""
    return [f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1]


def places_of(phrase: re.Pattern[str]) -> list[str]:
    """Return the lines of the package and its documentation in which a phrase is used."""
    pages = [*sorted((ROOT / "docs").rglob("*.md")), *ROOT.glob("*.md")]
    return [
        f"{_shown(path)}:{number}: {line.strip()}"
        for path in (*_modules(), *pages)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if phrase.search(line)
    ]


def _modules() -> Iterator[Path]:
    yield from sorted(PACKAGE.rglob("*.py"))


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
