"""Mask secrets in whatever leaves a task: log lines, exec states, errors (pure).

A known secret is found in each spelling that libraries give it: as it is, percent-encoded, escaped for JSON,
Python, HTML, SQL, CSV or a shell, also twice; in hexadecimal; and in base64, alone or within a longer text
such as ``user:password``. URIs lose their user part, whether it is known or not.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

from aqueduct_provider.spec.url_credentials import USER_PARTS, without_user

MASK = "***"

# Shorter secrets are masked only as whole words: they are parts of too many other words.
_WORD = 5
# Still shorter ones are not masked: they would take every number and article with them.
_SHORTEST = 3
# Of a secret of several lines, shorter lines, such as braces, are not secret.
_LINE = 8
# So many characters identify a secret; what follows of it need not be compared.
_ENOUGH = 24
# So many marks are looked for one by one; of more, first their beginnings, all at once.
_FEW = 100
_BEGINNING = 4
# With fewer characters, base64 could be met by chance.
_CORE = 6
_PUBLIC_LINE = re.compile(r"-----|\[.*\]$")
_PLAIN = re.compile("[A-Za-z0-9]+")
_ALPHANUMERIC = "A-Za-z0-9"
_BASE64 = {"+": "[+-]", "-": "[+-]", "/": "[/_]", "_": "[/_]"}
# Encoders break base64 into lines.
_BREAK = r"(?:\r?\n|\\r|\\n)?"
_BREAKS = re.compile(r"\r?\n|\\r|\\n")
# In a pattern: one before the second or a later unit of a character, such as in \\ud83d\\ude00.
_INNER_BACKSLASH = re.compile(r"(?<=[0-9a-f])\\\\(?=[ux])")
# Doubled for SQL and CSV; and how an apostrophe is written within a shell's apostrophes.
_QUOTED = {"'": ("''", "'\\''", "'\"'\"'"), '"': ('""',)}
_BASE64_REST = f"[{_ALPHANUMERIC}+/_-]*={{0,2}}"
# What ends a long secret, unless the secret itself has it.
_ENDS = "\"'<>,;&()"


class Redactor:
    """Masks the secrets of one task. More may be added while others use it.

    :param secrets: the secrets that are known from the start.

    Example::

        redact = Redactor(["p/w 1"])
        assert redact("postgresql://me:p%2Fw+1@db/x, p/w 1") == "postgresql://***@db/x, ***"
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset[str]()
        self._marks: tuple[str, ...] = ()
        self._short_marks: tuple[str, ...] = ()
        self._beginnings = frozenset[str]()
        self._pattern: re.Pattern[str] | None = None
        self._rare: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask these as well from now on; those of one or two characters are ignored."""
        # Secrets that come from files end with a line break, which code strips.
        new = {secret for each in secrets if len(secret := each.strip()) >= _SHORTEST} - self._secrets
        if new:
            self._secrets |= new
            marks = {mark for secret in new for piece in _pieces(secret) for mark in _marks(piece)}
            marks.update(self._marks)
            self._short_marks = tuple(mark for mark in marks if len(mark) < _BEGINNING)
            self._beginnings = frozenset(mark[:_BEGINNING] for mark in marks if len(mark) >= _BEGINNING)
            self._marks, self._pattern, self._rare = tuple(marks), None, None

    def __call__(self, text: str) -> str:
        """Return the text with ``***`` in place of every secret, and of the user part of every URI."""
        if self._has_mark(text):
            text = self._compiled().sub(MASK, text)
        if "\n" in text or "\\n" in text or text.count("%") >= _WORD:
            text = self._without_rare(text)
        return without_user(text)

    def _has_mark(self, text: str) -> bool:
        if len(self._marks) > _FEW and not self._may_have_mark(text):
            return False
        for mark in self._marks:  # noqa: SIM110 - a generator takes twice as long
            if mark in text:
                return True
        return False

    def _may_have_mark(self, text: str) -> bool:
        """Look for the beginnings of all marks at once: where there are many, that saves most of the time."""
        if any(mark in text for mark in self._short_marks):
            return True
        parts = (text[at : at + _BEGINNING] for at in range(len(text) - _BEGINNING + 1))
        return not self._beginnings.isdisjoint(parts)

    def _without_rare(self, text: str) -> str:
        """Mask secrets in spellings that also break up what else no spelling changes."""
        if self._has_mark(_BREAKS.sub("", text)) or self._has_mark(unquote(unquote(text))):
            self._rare = self._rare or _compile(self._secrets, _rare_spellings)
            text = self._rare.sub(MASK, text)
        return text

    def cut(self, text: str, at: int) -> int:
        """Return the last place, up to ``at``, where the text can be cut without cutting a secret in two."""
        patterns = [*USER_PARTS, *([self._compiled()] if self._secrets else ())]
        for pattern in patterns:
            for found in pattern.finditer(text):
                if found.start() < at < found.end():
                    at = found.start()
        return at

    def _compiled(self) -> re.Pattern[str]:
        """Compile the pattern on first use: that takes milliseconds, and most tasks print no secret."""
        pattern = self._pattern = self._pattern or _compile(self._secrets, _spellings)
        return pattern


def _marks(piece: str) -> Iterator[str]:
    """Return strings of which each text with the secret has one: characters that no spelling changes."""
    yield max(_PLAIN.findall(piece[:_ENOUGH]), key=len, default="")
    for inside, _ in _in_base64(piece):
        yield max(_PLAIN.findall(inside), key=len, default="")
    if len(piece) >= _WORD:
        yield from (_hex(piece)[:16], _hex(piece)[:16].upper())


def _compile(
    secrets: Iterable[str], spellings: Callable[[str], Iterator[tuple[str, str]]]
) -> re.Pattern[str]:
    """Return one pattern, grouped by first characters, so that few alternatives are tried at any place."""
    groups = defaultdict[str, dict[str, None]](dict)
    # The longest first: a secret may be a part of another.
    for piece in sorted({piece for secret in secrets for piece in _pieces(secret)}, key=len, reverse=True):
        for first, rest in spellings(piece):
            groups[first][rest] = None
    return re.compile("|".join(f"{re.escape(first)}(?:{'|'.join(rests)})" for first, rests in groups.items()))


def _pieces(secret: str) -> Iterator[str]:
    """Return the secret, or its lines: a log has one of them at a time."""
    lines = [line for each in secret.splitlines() if (line := each.strip())]
    if len(lines) < 2:
        yield secret
        return
    private = [line for line in lines if not _PUBLIC_LINE.match(line)]
    # Where no line is long, the short ones are the secret.
    yield from [line for line in private if len(line) >= _LINE] or [
        line for line in private if len(line) >= _SHORTEST
    ]


def _spellings(secret: str) -> Iterator[tuple[str, str]]:
    """Return the first character of every spelling, and a pattern of what follows."""
    is_word = len(secret) < _WORD
    tail = "".join(map(_any_form, secret[1:_ENOUGH]))
    if len(secret) > _ENOUGH:
        tail += f"[^\\s{re.escape(''.join(sorted(set(_ENDS) - set(secret))))}]*"
    for form in _forms(secret[0]):
        before = f"(?<![{_ALPHANUMERIC}]{re.escape(form[0])})" if is_word else ""
        after = f"(?![{_ALPHANUMERIC}])" if is_word else ""
        yield form[0], f"{before}{_escaped_again(form)[len(re.escape(form[0])) :]}{tail}{after}"
    for core, rest in _in_base64(secret):
        for first in _BASE64.get(core[0], core[0]).strip("[]"):
            yield first, "".join(_BASE64.get(one, one) for one in core[1:]) + rest
    if not is_word:
        digits = _hex(secret)
        for one in {digits[0], digits[0].upper()}:
            yield one, f"(?i:{digits[1:]})[0-9A-Fa-f]*"


def _rare_spellings(secret: str) -> Iterator[tuple[str, str]]:
    """Return the same for base64 in several lines, and for text with every character percent-encoded."""
    for core, rest in _in_base64(secret):
        for first in _BASE64.get(core[0], core[0]).strip("[]"):
            broken = "".join(f"{_BREAK}{_BASE64.get(one, one)}" for one in core[1:])
            yield first, f"{broken}(?:{_BREAK}[{_ALPHANUMERIC}+/_=-]{{4}})*{rest}"
    if len(secret) >= _WORD:
        digits = _hex(secret)
        pairs = [f"(?:25){{0,2}}(?i:{digits[at : at + 2]})" for at in range(0, len(digits), 2)]
        yield "%", "%".join(pairs) + "(?:%[0-9A-Fa-f]{2})*"


def _hex(secret: str) -> str:
    """Return the beginning of a secret in hexadecimal."""
    return secret.encode("utf-8", "surrogatepass")[:_ENOUGH].hex()


def _any_form(character: str) -> str:
    forms = _forms(character)
    if len(forms) == 1:
        return re.escape(character)
    return rf"\\{{0,7}}(?:{'|'.join(map(_escaped_again, forms))})"


def _escaped_again(form: str) -> str:
    """Return a pattern of a form; escaped again, its percent signs and backslashes are escaped themselves."""
    return _INNER_BACKSLASH.sub(r"\\\\{1,7}", re.escape(form).replace("%", "%(?:25){0,2}"))


def _forms(character: str) -> list[str]:
    """Return how a character is written in URLs, JSON, Python and HTML; the longest first."""
    if character.isascii() and (character.isalnum() or character == "_"):
        return [character]
    percent = quote(character, safe="", errors="surrogatepass")
    escaped = [json.dumps(character)[1:-1], repr(character)[1:-1], ascii(character)[1:-1]]
    units = character.encode("utf-16-be", "surrogatepass").hex()
    unicode = "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    plus = quote_plus(character, errors="surrogatepass")
    entities = [html.escape(character), f"&#{ord(character)};", f"&#x{ord(character):x};"]
    others = [f"\\{character}", unicode, unicode.upper().replace("U", "u")]
    others += ["".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))]
    forms = [
        character,
        percent,
        percent.lower(),
        plus,
        *escaped,
        *entities,
        *others,
        *_QUOTED.get(character, ()),
    ]
    return sorted(dict.fromkeys(forms), key=len, reverse=True)


def _in_base64(secret: str) -> Iterator[tuple[str, str]]:
    """Return the characters that a secret has in base64, whatever is around it, and what may follow them."""
    data = secret.encode("utf-8", "surrogatepass")
    if len(data) < _WORD:
        yield base64.b64encode(data).decode().rstrip("="), f"={{0,2}}(?![{_ALPHANUMERIC}])"
        return
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode()
        # Characters that hold bits of what is before or after the secret differ from text to text.
        inside = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        if len(inside) > _ENOUGH:
            yield inside[:_ENOUGH], _BASE64_REST
        elif len(inside) >= _CORE:
            is_whole = (before + len(data)) % 3 == 0
            yield inside, "" if is_whole else f"[{_ALPHANUMERIC}+/_-]?={{0,2}}"
