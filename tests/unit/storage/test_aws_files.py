"""Credentials and config files that cannot be parsed: where, why, and never what they hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.storage.aws_files import file_problem, profiles_in, usual_files

SECRET = b"planted-secret-77"
KEYS = b"aws_access_key_id = planted-id-77\naws_secret_access_key = " + SECRET + b"\n"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"[default]\n" + KEYS, ""),
        (b"", ""),
        (b"[a]\ns3 =\n  addressing_style = path\n", ""),
        (b"\xef\xbb\xbf[default]\n" + KEYS, "line 1: it begins with a byte order mark"),
        (b"\xff\xfe" + ("[default]\n" + KEYS.decode()).encode("utf-16-le"), "not UTF-8 but UTF-16"),
        (("[default]\n" + KEYS.decode()).encode("utf-16-be"), "not UTF-8 but UTF-16"),
        (b"[default]\n" + KEYS + b"# Stra\xdfe\n", "line 4: it holds a byte that is not UTF-8 (0xdf)"),
        (b"[a]\n" + KEYS + b"[b]\n[a]\n" + KEYS, "line 5: the section [a] is there twice"),
        (b"[a]\n" + KEYS + KEYS, "line 4: aws_access_key_id is set twice in the section [a]"),
        (b"\n" + KEYS + b"[a]\n", "line 2: no section header precedes it"),
        (b"[a]\n" + KEYS + SECRET + b"\n", "line 4: it is not of the form name = value"),
        (b"[a]\ns3 =\n  " + SECRET + b"\n", "section [a], option s3: an indented line is not of the form"),
    ],
)
def test_problems_name_the_line_and_no_value(data: bytes, problem: str) -> None:
    found = file_problem(data)
    assert (problem in found) if problem else not found
    assert SECRET.decode() not in found
    assert "planted-id-77" not in found


def test_profiles_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text('[default]\n[profile a]\n[profile "b c"]\n[plain]\n', encoding="utf-8-sig")
    assert profiles_in(path) == {"default", "a", "b c", "plain"}
    path.write_bytes(b"no header\xff")
    assert profiles_in(path) == frozenset()
    assert profiles_in(tmp_path / "gone") == frozenset()


def test_the_usual_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", "")
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE", raising=False)
    assert usual_files() == (tmp_path / ".aws/credentials", tmp_path / ".aws/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "~/own")
    assert usual_files()[0] == tmp_path / "own"
