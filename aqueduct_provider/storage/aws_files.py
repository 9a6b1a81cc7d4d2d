"""AWS credentials and config files: why one cannot be parsed, and which profiles one holds.

Lines of these files hold secrets: messages name line numbers, sections and options, never values.
"""

from __future__ import annotations

import codecs
import configparser
import os
from collections.abc import Iterator
from pathlib import Path

from aqueduct_provider.storage.files import expanded

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def usual_files() -> tuple[Path, Path]:
    """Return the credentials file and the config file that AWS's own tools read for this user."""
    credentials = os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
    config = os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
    return expanded(credentials), expanded(config)


def file_problem(data: bytes) -> str:
    """Describe what keeps a file from being parsed and how to fix it; empty: nothing.

    :param data: what the file holds.
    """
    if data.startswith(codecs.BOM_UTF8):
        return "line 1: it begins with a byte order mark (BOM). Save it as UTF-8 without one"
    if data.startswith(_UTF16) or b"\0" in data:
        return "it is not UTF-8 but UTF-16, or binary. Save it as UTF-8, without a byte order mark"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"line {line}: it holds a byte that is not UTF-8 (0x{data[error.start]:02x}). Save it as UTF-8"
    return _syntax_problem(text)


def profiles_in(path: Path) -> frozenset[str]:
    """Return the names of the profiles in a file, without the word ``profile``; none if it cannot be read."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(path.read_text("utf-8-sig"))
    except (OSError, ValueError, configparser.Error):
        return frozenset()
    names = (section.removeprefix("profile").strip().strip("\"'") for section in parser.sections())
    return frozenset(filter(None, names))


def _syntax_problem(text: str) -> str:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.DuplicateSectionError as error:
        return f"line {error.lineno}: the section [{error.section}] is there twice. Make one of the two"
    except configparser.DuplicateOptionError as error:
        return (
            f"line {error.lineno}: {error.option} is set twice in the section [{error.section}]."
            " Keep one of the two"
        )
    except configparser.MissingSectionHeaderError as error:
        return f"line {error.lineno}: no section header precedes it. Add one, such as [default]"
    except configparser.ParsingError as error:
        return f"line {error.errors[0][0]}: it is not of the form name = value. Correct it"
    return next(_nested_problems(parser), "")


def _nested_problems(parser: configparser.RawConfigParser) -> Iterator[str]:
    """botocore reads indented lines below an empty option as options of their own."""
    for section in parser.sections():
        for option, value in parser.items(section):
            if value.startswith("\n") and any("=" not in line for line in value.split("\n") if line.strip()):
                yield (
                    f"section [{section}], option {option}: an indented line is not of the form name = value."
                    " Correct it"
                )
