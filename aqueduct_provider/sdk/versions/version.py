"""A version of a flow, as users see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.argument_checks import check_name
from aqueduct_provider.sdk.console import terminal_safe
from aqueduct_provider.sdk.results.outcomes import labels
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.sdk.versions.flow_diff import FlowDiff, flow_diff
from aqueduct_provider.spec.version_label import short_id, version_label

if TYPE_CHECKING:
    from datetime import datetime

    from aqueduct_provider.artifacts.function_source import FunctionSource, SourceFile
    from aqueduct_provider.spec.flow_version import GitFacts
    from aqueduct_provider.spec.models import Code, Operator, WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore

# Bytes of a function archive that are read for its text: it holds models, too.
_MOST_ARCHIVE = 200_000_000


@dataclass(frozen=True, eq=False)
class Version:
    """One published version of a flow; ``flow.version(12)`` and ``flow.versions()`` give it.

    :param spec: what was published.
    :param number: counts the flow's versions from 1.
    :param changes: sentences about what it changed against the version before; None: not compared.

    Example::

        flow.version(12).message
        print(flow.version("v12").source("train"))
    """

    store: ObjectStore = field(repr=False)
    spec: WorkflowSpec = field(repr=False)
    number: int | None = None
    changes: Sequence[str] | None = None

    @property
    def id(self) -> str:
        """The UUID."""
        return str(self.spec.version.id)

    @property
    def label(self) -> str:
        """What users call it: ``v12``; the beginning of its id where its number is unknown."""
        return short_id(self.id) if self.number is None else f"v{self.number}"

    @property
    def created_at(self) -> datetime | None:
        """When it was published; None: unknown."""
        return self.spec.version.created_at

    @property
    def published_by(self) -> str:
        """The user who published it; empty: unknown."""
        return self.spec.version.published_by

    @property
    def message(self) -> str:
        """What its publisher says of it."""
        return self.spec.version.message

    @property
    def git(self) -> GitFacts | None:
        """The ``commit`` of its code, and whether the working tree was ``clean``; None: unknown."""
        return self.spec.version.git

    @property
    def restores(self) -> int | None:
        """The number of the version that a rollback put back with this one; None: it is not a rollback."""
        return self.spec.version.restores

    def __str__(self) -> str:
        return version_label(self.id, self.number)

    def __repr__(self) -> str:
        when = f", {self.created_at:%Y-%m-%d %H:%M}" if self.created_at else ""
        who = f" by {self.published_by}" if self.published_by else ""
        text = f"<Version {self}{when}{who}{f': {self.message}' if self.message else ''}>"
        # Others wrote it, and terminals show it.
        return terminal_safe(text)

    def source(self, operator: str) -> str:
        """Return the text of an operator's function, and of the local modules that it brought along.

        It is read from the function archive, verified by its digest; nothing is imported or unpickled. An
        entry file (``model.py``) that is not the one of this release is part of it. The text is the genuine
        one, also with characters that steer terminals or reorder text; ``flow.diff`` shows those escaped.

        :param operator: its name or its task id.
        :raises NotFound: it has no such operator, or that has no code, or its code cannot be read any more.
        """
        found = self._operator(check_name("operator", operator))
        code: Code | None = getattr(found, "code", None)
        if code is None:
            raise NotFound(
                f"{found.name!r} of {self} has no code of its own: it is of the type {found.type!r}."
            )
        archive = read_source(self.store, code)
        if archive.problem:
            raise NotFound(f"The source of {found.name!r} of {self} cannot be read: {archive.problem}")
        more = f"\n# {archive.left_out} more files of Python are not shown.\n" if archive.left_out else ""
        if len(archive.files) == 1:
            return _text(archive.files[0]) + more
        return "\n".join(f"# --- {file.name}\n{_text(file)}" for file in archive.files) + more

    def _operator(self, name: str) -> Operator:
        operators = self.spec.operators
        named = labels(operators)
        for label, one in zip(named, operators, strict=True):
            if name in (label, one.task_id):
                return one
        raise NotFound(f"{self} has no operator {name!r}.{suggestion(name, named)}")


class Versions(list[Version]):
    """Versions of a flow, the newest first; printed and in notebooks they are a table."""

    def __str__(self) -> str:
        from aqueduct_provider.sdk.display.version_tables import versions_table

        return versions_table(self).plain

    def _repr_html_(self) -> str:
        from aqueduct_provider.sdk.display.version_tables import versions_html

        return versions_html(self)


def read_source(store: ObjectStore, code: Code) -> FunctionSource:
    """Return the text in a function archive; where it cannot be read, why."""
    from aqueduct_provider.artifacts.function_source import function_source

    return function_source(store, code, _MOST_ARCHIVE)


def diff_versions(old: Version, new: Version) -> FlowDiff:
    """Compare two versions with the text of their code."""
    return flow_diff(old.spec, new.spec, (str(old), str(new)), partial(read_source, new.store))


def _text(file: SourceFile) -> str:
    return f"{file.text}\n# The rest of this file is not shown.\n" if file.is_cut else file.text
