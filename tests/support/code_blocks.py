"""The code blocks of the documentation, which tests and the demo run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def python_blocks(page: Path) -> list[str]:
    """The text of every ``python`` block of a Markdown page, in order.

    :raises ValueError: there is none.
    """
    blocks: list[str] = _BLOCK.findall(page.read_text(encoding="utf-8"))
    if not blocks:
        raise ValueError(f"{page} has no python block")
    return blocks
