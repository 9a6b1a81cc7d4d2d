"""Show a JSON document as a tree that opens without any script (pure).

In: the text of a preview, which users' code has written. Out: escaped markup, limited in depth and length; or
nothing, where the text is not JSON or has nothing to open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

# Values of a tree, levels, characters of a value.
_VALUES, _LEVELS, _LINE = 1_000, 20, 500
# A tree of fewer values is open from the start.
_OPEN = 40


def json_tree(text: str) -> Markup:
    """Return a tree of a JSON object or array; empty: the text is to be shown as it is."""
    from markupsafe import Markup

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        # Cut, as a preview may be.
        return Markup("")
    if not isinstance(value, dict | list) or not value:
        return Markup("")
    tree = _Tree(is_open=_count(value, _OPEN) < _OPEN)
    return Markup('<div class="tree">{}</div>').format(tree.members(value, 1))


class _Tree:
    """Draws values until there are too many.

    :param is_open: all levels are open from the start; else the first alone.
    """

    def __init__(self, *, is_open: bool) -> None:
        self._is_open = is_open
        self._left = _VALUES

    def members(self, value: Any, level: int) -> Markup:
        """Draw the members of an object or array."""
        from markupsafe import Markup

        pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        drawn = []
        for place, (key, member) in enumerate(pairs):
            if not self._left:
                drawn.append(Markup('<li class="muted">{} more</li>').format(f"{len(value) - place:,}"))
                break
            self._left -= 1
            drawn.append(Markup("<li>{}</li>").format(self._member(key, member, level)))
        return Markup("<ul>{}</ul>").format(Markup("").join(drawn))

    def _member(self, key: object, value: Any, level: int) -> Markup:
        from markupsafe import Markup

        name = Markup('<span class="key">{}</span>').format(_cut(str(key)))
        if not isinstance(value, dict | list) or not value or level >= _LEVELS:
            return Markup("{} <code>{}</code>").format(name, _cut(json.dumps(value, ensure_ascii=False)))
        size = f"{len(value):,} {'key' if isinstance(value, dict) else 'item'}{'s' * (len(value) != 1)}"
        return Markup('<details{}><summary>{} <span class="muted">{}</span></summary>{}</details>').format(
            Markup(" open" if self._is_open else ""), name, size, self.members(value, level + 1)
        )


def _count(value: Any, most: int) -> int:
    """Return how many values a document has, counted up to ``most``."""
    waiting, count = [value], 0
    while waiting and count < most:
        one = waiting.pop()
        count += 1
        if isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
    return count


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else f"{text[:_LINE]}…"
