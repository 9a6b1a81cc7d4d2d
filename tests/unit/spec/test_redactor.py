"""Secrets are found in every spelling, and nothing else is hidden."""

from __future__ import annotations

import base64
import html
import json
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from aqueduct_provider.spec.redactor import Redactor

SECRETS = [
    "planted",
    "Pl/ant ed+s=1%",
    "p\"la\\nt'ed",
    "/begins-with-a-slash",
    "plänted-ß-\N{GRINNING FACE}",
    "line<&>amp",
    "abcde",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" * 20,
]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "quote": quote,
    "quote with nothing safe": lambda text: quote(text, safe=""),
    "as a browser's encodeURIComponent": lambda text: quote(text, safe="!'()*~"),
    "quote_plus": quote_plus,
    "JSON": json.dumps,
    "JSON that is not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "a Python string": repr,
    "an ASCII string": ascii,
    "HTML": html.escape,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 without padding": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_each_spelling_of_a_secret_is_masked_and_no_more(secret: str, spell: Callable[[str], str]) -> None:
    text = spell(secret)
    kept = text[:1] + "***" + text[-1:] if text[:1] in "\"'" and text[0] == text[-1] else "***"
    assert Redactor([secret])(f"before {text} after") == f"before {kept} after"


@pytest.mark.parametrize("user", ["", "u", "us", "user", "someone"])
@pytest.mark.parametrize("after", ["", "x", "xy", ":more"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_inside_base64_is_masked(user: str, after: str, encode: Callable[[bytes], bytes]) -> None:
    secret = "Pl?an~t>ed"
    text = encode(f"{user}:{secret}{after}".encode()).decode()
    masked = Redactor([secret])(f"Authorization: Basic {text}")
    # What is left is too short to hold more than one character of the secret.
    left = masked.removeprefix("Authorization: Basic ").partition("***")
    assert left[1] == "***"
    data = base64.urlsafe_b64decode(left[0].replace("+", "-").replace("/", "_") + "===")
    assert data in f"{user}:P".encode() or data[:-1] in f"{user}:P".encode()


def test_each_line_of_a_key_is_masked() -> None:
    lines = [base64.b64encode(bytes([number]) * 48).decode() for number in range(1, 5)]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])
    redact = Redactor([key])
    assert redact(key).splitlines() == [
        "-----BEGIN PRIVATE KEY-----",
        *["***"] * 4,
        "-----END PRIVATE KEY-----",
    ]
    for spell in (json.dumps, repr, quote, lambda text: base64.b64encode(text.encode()).decode()):
        assert not any(line[4:20] in redact(spell(key)) for line in lines)
    assert redact(lines[2]) == "***"


def test_the_end_of_a_line_is_not_part_of_a_secret() -> None:
    """Files, from which many variables come, end with one; code strips it."""
    for end in ("\n", "\r\n", " "):
        assert Redactor([f"planted{end}"])("with planted.") == "with ***."


def test_short_lines_are_the_secret_where_there_are_no_long_ones() -> None:
    assert Redactor(["first1\nother2\n"])("first1, other2") == "***, ***"
    assert Redactor(["{\n  a-long-secret\n}"])("{ a-long-secret }") == "{ *** }"


AGAIN: dict[str, Callable[[str], str]] = {
    "json in json": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "repr of repr": lambda secret: repr(repr(secret)).strip("\\'\""),
    "repr of json": lambda secret: repr(json.dumps(secret))[2:-2],
    "percent twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "repr of bytes": lambda secret: repr(secret.encode())[2:-1],
    "every character": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "every character, twice": lambda secret: quote("".join(f"%{byte:02x}" for byte in secret.encode())),
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
    "shell": lambda secret: shlex.quote(secret).removeprefix("'").removesuffix("'"),
    "sql": lambda secret: secret.replace("'", "''"),
    "csv": lambda secret: secret.replace('"', '""'),
}


@pytest.mark.parametrize("spell", AGAIN.values(), ids=AGAIN)
@pytest.mark.parametrize(
    "secret",
    [
        "pl'an\"ted/ä\\1",
        "planted%secret+1",
        "planted secret & co",
        "äö-begins-so",
        "\N{GRINNING FACE}pl\N{GRINNING FACE}nted",
    ],
)
def test_what_is_encoded_twice_or_quoted_is_masked(secret: str, spell: Callable[[str], str]) -> None:
    masked = Redactor([secret])(f"before {spell(secret)} after")
    # A quotation mark that the spelling has put around it may be escaped.
    assert masked.replace("\\", "") == "before *** after"


def test_base64_in_lines_is_masked_where_they_come_together() -> None:
    secret = "a-planted-secret-of-some-length"
    lines = base64.encodebytes(b"x" * 50 + secret.encode()).decode()
    for encoded in (lines, repr(lines)):
        masked = Redactor([secret])(encoded)
        assert "***" in masked
        assert "eS1wbGFudGVk" not in masked.replace("\n", "").replace("\\n", "")
        assert len(masked) < 90


def test_the_longest_secret_wins_where_one_is_a_part_of_another() -> None:
    assert Redactor(["planted", "planted-and-longer"])("planted-and-longer planted") == "*** ***"


@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        ("root", "user root, password=root", "user ***, password=***"),
        ("root", "rooted groot root1", "rooted groot root1"),
        ("root", "cm9vdA== xcm9vdAx", "*** xcm9vdAx"),
        ("a/b", "(a/b) xa/b a/bc", "(***) xa/b a/bc"),
        ("ab", "ab", "ab"),
        ("1", "1 of 11", "1 of 11"),
        ("", "nothing", "nothing"),
    ],
)
def test_short_secrets_do_not_take_other_words_with_them(secret: str, text: str, masked: str) -> None:
    assert Redactor([secret])(text) == masked


def test_each_of_many_secrets_is_masked() -> None:
    secrets = [f"planted-{number:03}-{'x' * number}" for number in range(60)] + ["root", "a/b", "!!!!"]
    redact = Redactor(secrets)
    assert redact(f"nothing of {len(secrets)} in here") == "nothing of 63 in here"
    for secret in secrets:
        for text in (secret, quote(secret, safe=""), base64.b64encode(f"u:{secret}".encode()).decode()):
            if len(secret) > 4 or text == secret:
                assert secret not in (masked := redact(f"before {text} after"))
                assert "***" in masked


def test_secrets_may_be_added_later() -> None:
    redact = Redactor(["first-one"])
    assert redact("first-one second-one") == "*** second-one"
    redact.add(["second-one"])
    assert redact("first-one second-one") == "*** ***"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("postgresql://user:pw@host/db", "postgresql://***@host/db"),
        ('"mysql+pymysql://u:p%40w@h:3306/d?x=1"', '"mysql+pymysql://***@h:3306/d?x=1"'),
        ("mongodb+srv://u:p@h1,h2/?a=b", "mongodb+srv://***@h1,h2/?a=b"),
        ("cannot reach https://token@example.com.", "cannot reach https://***@example.com."),
        ("redis://:pw@host", "redis://***@host"),
        ("x://u:p@s@h y://v:w@i", "x://***@h y://***@i"),
        ("postgres://u:with/slash@host/db", "postgres://***@host/db"),
        ("http://host:8080/a@b", "http://host:8080/a@b"),
        ("https://example.com/@scope/package", "https://example.com/@scope/package"),
        ('{"url": "http://host", "mail": "a@b.c"}', '{"url": "http://host", "mail": "a@b.c"}'),
        ('{"url":"http://host","mail":"a@b.c"}', '{"url":"http://host","mail":"a@b.c"}'),
        ("a@b.c and d://e", "a@b.c and d://e"),
    ],
)
def test_uris_lose_their_user_part(text: str, clean: str) -> None:
    assert Redactor()(text) == clean
    assert Redactor(["something-else"])(text) == clean
