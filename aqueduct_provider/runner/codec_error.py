"""The error of the codecs, and descriptions of other errors that fit into a line."""

from __future__ import annotations

_LEFT_OUT = " ... "


class CodecError(Exception):
    """A value cannot be stored, or bytes cannot be read; ``str()`` says why and what to do."""


class CodeRefused(CodecError):
    """Reading the bytes could run code where only data may be read."""


def describe(error: BaseException) -> str:
    """Return an exception in one line, also when its ``__str__`` fails."""
    try:
        text = str(error)
    except Exception:
        text = "<no message: its __str__ failed>"
    return f"{type(error).__name__}: {text}".rstrip(": ")


def shortened(text: str, limit: int) -> str:
    """Return a text of at most so many characters: of a longer one, its beginning and its end.

    What is wrong often stands at the end of a long message.
    """
    if len(text) <= limit:
        return text
    end = limit // 3
    return f"{text[: limit - end - len(_LEFT_OUT)]}{_LEFT_OUT}{text[-end:]}"
