"""The error of the codecs, and one-line descriptions of other errors."""

from __future__ import annotations


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
