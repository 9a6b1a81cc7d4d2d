"""Compare the code of an operator in two versions: its text, its requirements, and all else by its bytes.

In: the code of two specs, and a function that reads archives. Out: a unified diff, and sentences about what
it does not show. Nothing is imported or unpickled.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aqueduct_provider.artifacts.function_source import FunctionSource, SourceFile
    from aqueduct_provider.spec.models import Code

ReadSource = Callable[["Code"], "FunctionSource"]

_DISTRIBUTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# The pickle of the function in archives of the SDK, and of the original.
_PICKLES = frozenset({"model.pkl", "function.pkl"})
_IN_PICKLE = "(the pickled function, with the values, helper functions and modules that it takes along)"
# Names in a sentence.
_NAMES = 20


@dataclass(frozen=True)
class CodeDifference:
    """What differs in the code of an operator.

    :param source: unified diff.
    :param requirements: of each side the lines by distribution.
    :param note: what the diff does not show; empty: it shows all.
    :param is_repackaged: whether the pickle of the function is all that differs.
    """

    source: str = ""
    requirements: tuple[dict[str, str], dict[str, str]] = ({}, {})
    note: str = ""
    is_repackaged: bool = False


def code_difference(
    old: Code | None, new: Code | None, names: tuple[str, str], read: ReadSource | None
) -> CodeDifference:
    """Compare the code of an operator; empty where it is the same, or neither has any.

    :param names: what the versions are called.
    :param read: reads the text of code; None: code is compared by its digest alone.
    """
    if old is not None and new is not None:
        if old.sha256 == new.sha256 and old.requirements == new.requirements:
            return CodeDifference()
        before, after = (_source(code, read) for code in (old, new))
        requirements = _by_distribution(before.requirements), _by_distribution(after.requirements)
        note, source, repackaged = before.problem or after.problem, "", False
        if not note:
            source, shown = _unified(before, after, names)
            if requirements[0] != requirements[1]:
                shown.add("requirements.txt")
            if old.python_version != new.python_version:
                shown.add("python_version.txt")
            if read and old.sha256 != new.sha256:
                hidden = _hidden(before, after, shown)
                note = _note(before, after, hidden, shown, is_text=bool(source))
                is_known = all(file.is_known for side in (before, after) for file in side.files)
                repackaged = is_known and not shown and _PICKLES.issuperset(hidden)
        return CodeDifference(source, requirements, note, repackaged)
    if read is None or (old is None and new is None):
        return CodeDifference()
    source, note = (
        code_text(old, names, read, "-") if old else code_text(new, names, read, "+") if new else ("", "")
    )
    return CodeDifference(source, note=note)


def code_text(code: Code, names: tuple[str, str], read: ReadSource, sign: str) -> tuple[str, str]:
    """Return the text of code that one version alone has, each line behind the sign, and what it leaves out.

    :param sign: ``+`` or ``-``.
    """
    from aqueduct_provider.artifacts.function_source import FunctionSource

    found = read(code)
    if found.problem:
        return "", found.problem
    sides = (FunctionSource(), found) if sign == "+" else (found, FunctionSource())
    return _unified(*sides, names)[0], " ".join(found.limits())


def _source(code: Code, read: ReadSource | None) -> FunctionSource:
    from aqueduct_provider.artifacts.function_source import FunctionSource

    return read(code) if read else FunctionSource(requirements=code.requirements or ())


def _by_distribution(lines: Iterable[str]) -> dict[str, str]:
    found = dict[str, list[str]]()
    for line in lines:
        name = _DISTRIBUTION.match(line)
        # As an index compares names.
        key = re.sub(r"[-_.]+", "-", name[0]).lower() if name else line
        found.setdefault(key, []).append(line)
    return {name: ", ".join(some) for name, some in found.items()}


def _unified(old: FunctionSource, new: FunctionSource, names: tuple[str, str]) -> tuple[str, set[str]]:
    """Return the unified diff, and the names of the files that it shows in full."""
    before, after = (_texts(side, other) for side, other in ((old, new), (new, old)))
    lines, shown = list[str](), set[str]()
    for name in dict.fromkeys([*before, *after]):
        sides = [side.get(name) for side in (before, after)]
        first, second = (file.lines() if file else [] for file in sides)
        titles = (f"{name}  {side}" for side in names)
        found = list(difflib.unified_diff(first, second, next(titles), next(titles), lineterm=""))
        lines += found
        if found and not any(file and file.is_cut for file in sides):
            shown.add(name)
    return "".join(f"{line}\n" for line in lines), shown


def _texts(side: FunctionSource, other: FunctionSource) -> dict[str, SourceFile]:
    """Return the files by name; the entry file, too, where the other side has one that is shown."""
    found = {file.name: file for file in side.files}
    if side.entry and any(file.name == side.entry.name for file in other.files):
        found[side.entry.name] = side.entry
    return found


def _hidden(old: FunctionSource, new: FunctionSource, shown: set[str]) -> list[str]:
    """Return the members of two archives that differ and are in no line of the diff."""
    names = sorted({*old.members, *new.members})
    return [name for name in names if old.members.get(name) != new.members.get(name) and name not in shown]


def _note(
    old: FunctionSource, new: FunctionSource, hidden: list[str], shown: set[str], *, is_text: bool
) -> str:
    """Say what differs between two archives and is in no line of the diff; empty: nothing."""
    limits = dict.fromkeys([*old.limits(), *new.limits()])
    if not hidden and not is_text and not shown:
        start = "Its archive is packed in another way; each file in it is the same."
        return " ".join([start, *limits])
    if not hidden:
        return " ".join(limits)
    listed = [f"{name} {_IN_PICKLE}" if name in _PICKLES else name for name in hidden[:_NAMES]]
    more = f" and {len(hidden) - _NAMES} more" if len(hidden) > _NAMES else ""
    start = "The text does not show all that changed" if is_text else "Its code changed, but not its text"
    return " ".join(
        [f"{start}: by their bytes, these differ in its archive: {', '.join(listed)}{more}.", *limits]
    )
