"""Check that every module that a function needs will be available on a worker.

In: a pickled function, its requirements and its files. Out: nothing, or one error that names every module
that would be missing, with what to do about it. Imports nothing of what it looks at.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging.distributions import Coverage, owners_of
from aqueduct_provider.sdk.packaging.local_modules import PACKAGE, origin_of
from aqueduct_provider.sdk.packaging.pickling import Pickled, home_of, is_ours
from aqueduct_provider.sdk.packaging.source_text import imports_of, imports_of_text
from aqueduct_provider.sdk.packaging.variables import HINT, names_in, variables_of
from aqueduct_provider.spec.requirement_sets import THIS_PYTHON
from aqueduct_provider.spec.url_credentials import without_credentials


@dataclass(frozen=True)
class Supply:
    """The packages that a worker's environment will have, the standard library apart.

    :param coverage: of the requirements.
    :param files: modules that can be imported from the file dependencies; None: a package without a file.
    :param requirements: pip requirements of the function.
    """

    coverage: Coverage
    files: dict[str, Path | None]
    requirements: tuple[str, ...] = ()

    @cached_property
    def for_tables(self) -> frozenset[str]:
        """The packages that workers add for tables; their modules have the same names."""
        from aqueduct_provider.execution.operator_environment import environment_of

        asked = environment_of(self.requirements, None, (), "parquet").requirements
        return frozenset(asked) - frozenset(self.requirements)

    def has_local(self, module: str) -> bool:
        """Return whether an imported local module is there again: as a file of the user, or installed."""
        if self.coverage.holds(module.partition(".")[0]):
            return True
        file = self.files.get(module)
        home = getattr(sys.modules.get(module), "__file__", None)
        return file is not None and isinstance(home, str) and file.resolve() == Path(home).resolve()


@dataclass(frozen=True)
class _Need:
    """A module that will be imported.

    :param importer: what imports it when it runs; empty: the pickle does.
    :param is_file: whether that is a file, and not a function.
    """

    module: str
    importer: str = ""
    is_file: bool = False

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class _Missing:
    """A module that will not be there.

    :param what: the module, and why it is missing.
    :param fix: what to do.
    """

    what: str
    fix: str


def check_needed_modules(name: str, pickled: Pickled, supply: Supply) -> None:
    """Refuse a function that would fail on a worker for lack of a module.

    :param name: the operator's.
    :raises PackagingError: names all modules that would be missing, or nothing of the requirements is
        installed where the function runs.
    """
    found = (_missing(need, supply, pickled) for need in _needs(pickled, supply))
    missing = list(dict.fromkeys(one for one in found if one))
    if len(missing) == 1:
        raise PackagingError(f"{name!r} needs {missing[0].what}. {missing[0].fix}.")
    if missing:
        lines = "\n".join(f"- {one.what}. {one.fix}." for one in missing)
        raise PackagingError(f"{name!r} needs modules that no worker would have:\n{lines}")
    if supply.coverage.is_nothing:
        raise PackagingError(
            f"None of the requirements of {name!r} is installed where it runs, on Linux with Python "
            f"{THIS_PYTHON}: their markers, what follows the ';', exclude it. Correct them, or write "
            "requirements=[] if it needs none."
        )


def _needs(pickled: Pickled, supply: Supply) -> Iterator[_Need]:
    """Yield what the pickle imports, the functions in it, and the user's files that these import."""
    waiting = [_Need(module) for module in sorted(pickled.imports)]
    if any(True for _ in _uses_of_left_out(pickled)):
        waiting.append(_Need(PACKAGE))
    waiting += (
        _Need(module, function.__qualname__)
        for function in pickled.functions
        if _is_of_the_user(function)
        for module in imports_of(function)
    )
    seen = set[str]()
    while waiting:
        need = waiting.pop(0)
        yield need
        for module in _with_parents(need.module):
            file = supply.files.get(module)
            if file and module not in seen:
                seen.add(module)
                package = module if file.stem == "__init__" else module.rpartition(".")[0]
                text = file.read_text("utf-8", "replace") if file.suffix == ".py" else ""
                waiting += (_Need(name, file.name, is_file=True) for name in imports_of_text(text, package))


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


def _is_of_the_user(function: types.FunctionType) -> bool:
    """Return whether it comes from the user's script and modules, not from a library that made it."""
    top = str(function.__module__).partition(".")[0]
    return top != PACKAGE and (top == "__main__" or origin_of(top) in ("local", "unknown"))


def _missing(need: _Need, supply: Supply, pickled: Pickled) -> _Missing | None:
    if need.module in supply.files or need.top == "cloudpickle":
        return None
    if need.top == PACKAGE:
        return _missing_ours(need, pickled)
    origin = "local" if need.top == "__main__" else origin_of(need.top)
    if origin == "standard" or supply.coverage.covers(need.top) or need.top in supply.for_tables:
        return None
    if origin == "local":
        return _missing_local(need)
    return _missing_package(need, supply, pickled)


def _missing_ours(need: _Need, pickled: Pickled) -> _Missing:
    names = ", ".join(dict.fromkeys(map(repr, _uses_of_ours(pickled))))
    uses = f" (it uses {names})," if names else ","
    if need.importer:
        uses = f"{_imported_by(need)} and"
    return _Missing(
        f"the module {PACKAGE!r}{uses} which is not installed where operators run",
        "Use only plain functions and values in it, and take what else it needs as arguments",
    )


def _missing_local(need: _Need) -> _Missing:
    if need.top == "__main__":
        return _Missing(
            "something of the script itself that can only be pickled by its name",
            "Move it to a module of its own and name that file in file_dependencies=[...]",
        )
    file = "name its file in file_dependencies=[...]"
    if need.importer and not need.is_file:
        return _Missing(
            f"the local module {need.module!r}{_imported_by(need)}",
            f"Import {need.module!r} at the top of the module, so that it is taken along, or {file}",
        )
    why = _imported_by(need) or ", of which something cannot be taken into a pickle"
    return _Missing(f"the local module {need.module!r}{why}", file[0].upper() + file[1:])


def _missing_package(need: _Need, supply: Supply, pickled: Pickled) -> _Missing | None:
    owners = owners_of(need.top)
    if not owners:
        # What a requirement holds that is not installed here is unknown, and so is what a body really needs.
        if need.importer or supply.coverage.unchecked:
            return None
        return _Missing(
            f"the module {need.top!r}, which belongs to no installed package",
            "Install the package that it comes from, and add that to requirements=[...]",
        )
    packages = " or ".join(f"{owner.name} {owner.version}" for owner in owners)
    if excluded := supply.coverage.exclusion(owner.name for owner in owners):
        return _Missing(
            f"the module {need.top!r} (package {packages}), but {without_credentials(excluded)!r} installs "
            f"nothing where it runs, on Linux with Python {THIS_PYTHON}",
            "Correct the marker, what follows the ';', or remove it",
        )
    additions = " or ".join(repr(owner.requirement) for owner in owners)
    return _Missing(
        f"the module {need.top!r} (package {packages}), which its requirements do not name",
        f"Add {additions} to requirements=[...]{_annotated(need, pickled) or _through(need, pickled)}",
    )


def _imported_by(need: _Need) -> str:
    when = "" if need.is_file else " while it runs"
    return f", which {need.importer!r} imports{when}" if need.importer else ""


def _annotated(need: _Need, pickled: Pickled) -> str:
    """Hint at an annotation, which travels with its function."""
    for function in pickled.functions:
        for name, hint in function.__annotations__.items():
            if home_of(hint).partition(".")[0] == need.top:
                return (
                    f"; or, where only the annotation of {name!r} needs it, write that in quotes, or begin "
                    "the file with 'from __future__ import annotations'"
                )
    return ""


def _through(need: _Need, pickled: Pickled) -> str:
    """Hint at a module that travels as a whole and needs what the function itself may not need."""
    for module in pickled.modules:
        for value in vars(module).values():
            if home_of(value).partition(".")[0] == need.top:
                return (
                    f"; or, where only other parts of {module.__name__!r} need it, write "
                    f"'from {module.__name__} import ...', which takes only what is used"
                )
    return ""


def _uses_of_ours(pickled: Pickled) -> Iterator[str]:
    """Yield the names under which functions use something of this package."""
    for function in pickled.functions:
        for name, value in variables_of(function):
            # Such annotations do not travel.
            if is_ours(value) and not name.startswith(HINT):
                yield name
    yield from _uses_of_left_out(pickled)


def _uses_of_left_out(pickled: Pickled) -> Iterator[str]:
    """Yield what functions may look up in a module, of which it was left out."""
    if pickled.left_out:
        names = {name for function in pickled.functions for name in names_in(function.__code__)}
        yield from (f"{module.__name__}.{name}" for module, name in pickled.left_out if name in names)
