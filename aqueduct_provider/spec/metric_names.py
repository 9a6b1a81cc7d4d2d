"""The one name by which users know a metric, on pages, in messages and in Python (pure)."""

from __future__ import annotations

import re

# What publishing adds to the name of an operator whose output was given none, and to one that is taken.
_ADDED = re.compile(r" artifact( \(\d+\))?")


def metric_name(operator: str, artifact: str) -> str:
    """Return the name of what an operator writes: its artifact's, without what publishing has added to it.

    ``third`` where its author wrote ``output="third"``; else ``auc`` of ``auc artifact``, and ``auc (1)`` of
    ``auc artifact (1)``, which no other metric of the flow has.

    :param operator: the operator's name.
    :param artifact: the artifact's name.
    """
    added = _ADDED.fullmatch(artifact.removeprefix(operator)) if artifact.startswith(operator) else None
    return f"{operator}{added[1] or ''}" if added else artifact
