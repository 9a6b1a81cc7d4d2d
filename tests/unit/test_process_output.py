"""Bytes from pipes become lines, in whatever pieces they come."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from aqueduct_provider.process_output import LINE_LIMIT, AsIs, Cleaner, Output
from aqueduct_provider.spec.redactor import Redactor


class Pipes:
    """Both pipes of a child that is not there, and what came out of them."""

    def __init__(self, capture_limit: int, clean: Cleaner | None = None) -> None:
        self.lines: list[tuple[str, str]] = []
        ends = [os.pipe() for _ in range(2)]
        self._read = [os.fdopen(read, "rb", buffering=0) for read, _ in ends]
        self.stdout, self.stderr = (os.fdopen(write, "wb", buffering=0) for _, write in ends)
        self.output = Output(
            *self._read,
            lambda stream, line: self.lines.append((stream, line)),
            capture_limit,
            clean or AsIs(),
        )

    def write(self, *pieces: bytes | str) -> None:
        """Write to stdout, and let each piece be read before the next."""
        for piece in pieces:
            data = piece.encode() if isinstance(piece, str) else piece
            while data:
                data = data[self.stdout.write(data[:50_000]) :]
                self.output.pump(0)

    def texts(self) -> list[str]:
        """The lines, once the child has ended."""
        self.close()
        self.output.finish()
        return [line for _, line in self.lines]

    def close(self) -> None:
        self.stdout.close()
        self.stderr.close()

    def end(self) -> None:
        self.close()
        for pipe in self._read:
            pipe.close()


@pytest.fixture
def limit() -> int:
    return 1_000_000


@pytest.fixture
def pipes(limit: int) -> Iterator[Pipes]:
    made = Pipes(limit)
    yield made
    made.end()


def test_streams_are_told_apart(pipes: Pipes) -> None:
    pipes.stderr.write(b"bad\n")
    pipes.write("good\n")
    pipes.texts()
    assert sorted(pipes.lines) == [("stderr", "bad"), ("stdout", "good")]
    assert pipes.output.captured() == ("good\n", "bad\n")


def test_it_is_open_for_as_long_as_somebody_can_write(pipes: Pipes) -> None:
    assert pipes.output.is_open
    pipes.stdout.close()
    pipes.output.pump(0)
    assert pipes.output.is_open
    pipes.stderr.close()
    pipes.output.pump(0)
    assert not pipes.output.is_open
    pipes.output.finish()


@pytest.mark.parametrize("limit", [10])
@pytest.mark.parametrize(("size", "dropped"), [(10, 0), (11, 1), (25, 15)])
def test_capture_limit(pipes: Pipes, size: int, dropped: int) -> None:
    text = "".join(chr(ord("a") + n) for n in range(size))
    pipes.write(*text)
    pipes.texts()
    note = f"\n[... {dropped} characters dropped ...]\n" if dropped else ""
    assert pipes.output.captured()[0] == text[:5] + note + text[5 + dropped :]


def test_a_long_line_comes_in_pieces(pipes: Pipes) -> None:
    size = 5 * LINE_LIMIT + 10
    pipes.write("y" * size, "\nend\n")
    *pieces, end = pipes.texts()
    assert max(map(len, pieces)) <= LINE_LIMIT
    assert ("".join(pieces), end) == ("y" * size, "end")


def test_invalid_utf8_is_replaced(pipes: Pipes) -> None:
    pipes.write(b"a\xff\xfeb\n", b"cut \xe2\x82")
    assert pipes.texts() == ["a\ufffd\ufffdb", "cut \ufffd"]
    assert pipes.output.captured()[0] == "a\ufffd\ufffdb\ncut \ufffd"


def test_characters_split_between_writes(pipes: Pipes) -> None:
    pipes.write(*(bytes([byte]) for byte in "grün €\n".encode()))
    assert pipes.texts() == ["grün €"]


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (["a\r\nb\r\n"], ["a", "b"]),
        (["a\r", "\nb"], ["a", "b"]),
        (["10%\r20%\r", "30%\n", "done\n"], ["30%", "done"]),
        (["\r10%", "\r20%", "\n", "done\n"], ["20%", "done"]),
        (["10%\r", "100%\r"], ["100%"]),
        (["100%\r\r\nnext\n"], ["100%", "next"]),
        (["\n\n"], ["", ""]),
        ([""], []),
    ],
)
def test_line_ends(pipes: Pipes, written: list[str], lines: list[str]) -> None:
    pipes.write(*written)
    assert pipes.texts() == lines


def test_progress_is_shown_now_and_then(pipes: Pipes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqueduct_provider.process_output.PROGRESS_SECONDS", 0.0)
    pipes.write("10%\r20%\rdone\n")
    assert pipes.texts() == ["10%", "20%", "done"]


SECRET = "planted-" + "0123456789" * 5


@pytest.fixture
def masked() -> Iterator[Pipes]:
    made = Pipes(10_000, Redactor([SECRET]))
    yield made
    made.end()


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", ""])
def test_secrets_are_masked_in_lines_and_in_what_is_kept(masked: Pipes, end: str) -> None:
    masked.write(f"a {SECRET[:20]}", f"{SECRET[20:]} b{end}")
    assert masked.texts() == ["a *** b"]
    assert masked.output.captured()[0] == f"a *** b{end}"


@pytest.mark.parametrize("before", range(0, 50, 7))
def test_a_secret_is_not_cut_in_two_where_a_long_text_is(masked: Pipes, before: int) -> None:
    """Neither where a line is delivered in pieces nor where the middle of a text is dropped."""
    masked.write("x" * before, f"{SECRET} " * 10_000)
    texts = masked.texts()
    assert len(texts) > 1
    for text in (*texts, masked.output.captured()[0]):
        assert "planted" not in text
        assert "0123" not in text
    assert "".join(texts) == "x" * before + "*** " * 10_000


def test_a_secret_longer_than_what_is_held_back_is_not_cut_in_two() -> None:
    secret = "planted" * 6_000
    made = Pipes(1_000_000, Redactor([secret]))
    made.write("x" * 30_000 + " ", secret, " y" * 30_000)
    assert "".join(made.texts()) == "x" * 30_000 + " ***" + " y" * 30_000
    made.end()
