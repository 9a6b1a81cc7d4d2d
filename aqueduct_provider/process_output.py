"""Read a child's output: bytes from two pipes become lines at once, and part of them is kept.

In: pipes, and who gets the lines. Out: lines without their ends, and each stream's text, cut in the middle
when it is long. Imports nothing of this package.
"""

from __future__ import annotations

import codecs
import os
import re
import selectors
import time
from collections import deque
from collections.abc import Callable
from typing import IO, Literal, Protocol

Stream = Literal["stdout", "stderr"]
OnLine = Callable[[Stream, str], None]

# Longest piece, in characters, that is delivered as one line.
LINE_LIMIT = 1 << 16
# Progress bars end their updates with "\r"; this many seconds apart, one of them is delivered.
PROGRESS_SECONDS = 5.0

_READ = 1 << 16
# Of a long line without an end, so much may be the beginning of a secret.
_HELD = 1 << 13
# More than a pipe can hold: what is read at most of a pipe that a daemon of the child keeps open.
_LEFTOVER = 1 << 21
# Beyond this, a line without an end is delivered wherever it is cut.
_LONGEST = 1 << 20
_BREAK = re.compile("(\r\n|\n|\r)")


class Cleaner(Protocol):
    """Masks secrets."""

    def __call__(self, text: str, /) -> str:
        """Return the text with its secrets masked."""
        ...

    def cut(self, text: str, at: int, /) -> int:
        """Return the last place, up to this one, that is not within a secret."""
        ...


class AsIs:
    """Masks nothing."""

    def __call__(self, text: str, /) -> str:
        return text

    def cut(self, text: str, at: int, /) -> int:  # noqa: ARG002
        return at


class Output:
    """Both output pipes of a child.

    :param clean: masks secrets in a line, before anyone gets it and before the middle of a text is cut out.
    """

    def __init__(
        self, stdout: IO[bytes], stderr: IO[bytes], on_line: OnLine, capture_limit: int, clean: Cleaner
    ) -> None:
        self._stdout = _StreamReader("stdout", on_line, capture_limit, clean)
        self._stderr = _StreamReader("stderr", on_line, capture_limit, clean)
        self._selector = selectors.DefaultSelector()
        for pipe, reader in ((stdout, self._stdout), (stderr, self._stderr)):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, reader)

    @property
    def is_open(self) -> bool:
        """Return whether a process can still write."""
        return bool(self._selector.get_map())

    def pump(self, seconds: float) -> None:
        """Deliver what comes; wait for it at most this long."""
        for key, _ in self._selector.select(seconds):
            self._read(key)

    def finish(self) -> None:
        """Deliver what is in the pipes, and what has no line end yet."""
        for key in list(self._selector.get_map().values()):
            for _ in range(_LEFTOVER // _READ):
                if not self._read(key):
                    break
        self._selector.close()
        for reader in (self._stdout, self._stderr):
            reader.close()

    def captured(self) -> tuple[str, str]:
        """Return what is kept of each stream."""
        return self._stdout.capture.text(), self._stderr.capture.text()

    def _read(self, key: selectors.SelectorKey) -> bool:
        try:
            data = os.read(key.fd, _READ)
        except BlockingIOError:
            return False
        if data:
            key.data.feed(data)
        else:
            self._selector.unregister(key.fileobj)
        return bool(data)


class _StreamReader:
    """Bytes to lines. A line that ends in a lone carriage return is one that the next line overwrites."""

    def __init__(self, stream: Stream, on_line: OnLine, capture_limit: int, clean: Cleaner) -> None:
        self.capture = _Capture(capture_limit)
        self._stream = stream
        self._on_line = on_line
        self._clean = clean
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""
        self._overwritten = ""
        self._progress_at = time.monotonic()

    def feed(self, data: bytes) -> None:
        self._add(self._decoder.decode(data))

    def close(self) -> None:
        self._add(self._decoder.decode(b"", final=True))
        rest = self._clean(self._rest)
        self.capture.add(rest)
        last = self._spill(rest.removesuffix("\r")) or self._overwritten
        if last:
            self._on_line(self._stream, last)

    def _add(self, text: str) -> None:
        text = self._rest + text
        # A carriage return at the very end may be half of a line end.
        held = "\r" if text.endswith("\r") else ""
        *parts, rest = _BREAK.split(text.removesuffix(held))
        for dirty, end in zip(parts[::2], parts[1::2], strict=True):
            line = self._clean(dirty)
            self.capture.add(line + end)
            if end == "\r":
                self._progress(line)
            else:
                self._on_line(self._stream, self._spill(line) or self._overwritten)
                self._overwritten = ""
        self._rest = self._shorten(rest) + held

    def _shorten(self, rest: str) -> str:
        """Deliver all of a long line without an end but its last part, which is the result."""
        if len(rest) <= LINE_LIMIT + _HELD:
            return rest
        cut = self._clean.cut(rest, len(rest) - _HELD) if len(rest) < _LONGEST else len(rest)
        if not cut:
            return rest
        line = self._clean(rest[:cut])
        self.capture.add(line)
        self._on_line(self._stream, self._spill(line))
        return rest[cut:]

    def _spill(self, line: str) -> str:
        """Deliver all of a long line but its last piece, which is the result."""
        while len(line) > LINE_LIMIT:
            self._on_line(self._stream, line[:LINE_LIMIT])
            line = line[LINE_LIMIT:]
        return line

    def _progress(self, line: str) -> None:
        self._overwritten = line or self._overwritten
        now = time.monotonic()
        if now - self._progress_at >= PROGRESS_SECONDS:
            self._progress_at = now
            self._on_line(self._stream, self._overwritten)
            self._overwritten = ""


class _Capture:
    """Text up to a limit: of a longer one its head and its tail."""

    def __init__(self, limit: int) -> None:
        self._room = limit // 2
        self._tail_limit = limit - limit // 2
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._dropped = 0

    def add(self, text: str) -> None:
        head, tail = text[: self._room], text[self._room :]
        self._room -= len(head)
        self._head.append(head)
        self._tail.append(tail)
        self._tail_size += len(tail)
        while self._tail_size - len(self._tail[0]) > self._tail_limit:
            dropped = len(self._tail.popleft())
            self._tail_size -= dropped
            self._dropped += dropped

    def text(self) -> str:
        tail = "".join(self._tail)
        excess = max(0, len(tail) - self._tail_limit)
        dropped = self._dropped + excess
        note = f"\n[... {dropped} characters dropped ...]\n" if dropped else ""
        return "".join(self._head) + note + tail[excess:]
