"""Text of a spec as Airflow's UI shows them (pure).

In: names, descriptions, error messages: any text. Out: text that Airflow's database can hold and whose
markup cannot change the page around it. Imports nothing of the package.
"""

from __future__ import annotations

import re
import textwrap

# PostgreSQL refuses NUL and lone surrogates, and one refused DAG fails the update of the whole folder.
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_LONGEST = 20_000
# Characters of code that Airflow 3's dialog for docs shows without scrolling.
_DIALOG = 52


def shown(text: str) -> str:
    """Return ``text`` without control characters, cut where no one reads on."""
    clean = _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text[: _LONGEST + 1].replace("\r\n", "\n"))
    return clean if len(clean) <= _LONGEST else clean[:_LONGEST] + "\n\N{HORIZONTAL ELLIPSIS}"


def one_line(text: str, limit: int = 200) -> str:
    """Return ``text`` as a label of at most ``limit`` characters."""
    line = " ".join(shown(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def markdown(*paragraphs: str) -> str | None:
    """Join Markdown ``paragraphs`` into a ``doc_md``; HTML in them is shown as it is written.

    It never ends with ``.md``: Airflow would take such a text for the path of a file, and read it.
    """
    text = "\n\n".join(_literal_html(shown(part).strip()) for part in paragraphs if part.strip())
    return f"{text}\n" if text else None


def code_span(text: str, limit: int = 200) -> str:
    """Return one line of code in Markdown that ``text`` cannot leave, of at most ``limit`` characters."""
    fence = "`" * (_longest_run(text) + 1)
    line = one_line(text, limit)
    return f"{fence} {line} {fence}" if "`" in text else f"`{line}`"


def code_block(text: str) -> str:
    """Return a block of code in Markdown that ``text`` cannot leave; its lines fit Airflow's dialog."""
    fence = "`" * max(3, _longest_run(text) + 1)
    wrapped = "\n".join(map(_wrap, shown(text).split("\n")))
    return f"{fence}text\n{wrapped}\n{fence}"


def _wrap(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line, _DIALOG, subsequent_indent=indent + "    ", break_long_words=False, break_on_hyphens=False
    )


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _literal_html(text: str) -> str:
    # Airflow 3 drops HTML, so that "<customer id>" would be missing; code shows it in any case.
    fenced = False
    lines = []
    for line in text.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        lines.append(line if fenced else _escape_outside_code(line))
    return "\n".join(lines)


def _escape_outside_code(line: str) -> str:
    parts = line.split("`")
    last = len(parts) - 1
    return "`".join(part if i % 2 and i < last else part.replace("<", "&lt;") for i, part in enumerate(parts))
