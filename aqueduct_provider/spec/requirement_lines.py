"""Read requirement lines as pip reads them, and say what is wrong with one.

In: the bytes of a requirements file, or lines. Out: requirements without comments, and problems in words that
never repeat the line, which may hold a secret. Pure; packaging is imported at the last moment.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# As pip: a # begins a comment at the start of a line or after white space, so not in the fragment of a URL.
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
# The longer marks first: that of UTF-16 begins that of UTF-32.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Reading a requirement takes time with the square of its length, and depth for each parenthesis in it.
_LONGEST_LINE = 2000
_MOST_PARENTHESES = 50
_ENCODING = re.compile(rb"coding[:=]\s*([-\w.]+)")

_OPTION = re.compile(r"(?:^|\s)(--[A-Za-z][A-Za-z-]*|-[A-Za-z])")
_ARCHIVE = re.compile(
    r"\.(?:whl|zip|tgz|tbz|txz|tlz|tar|tar\.(?:gz|bz2|xz|lz|lzma))(?:\[[^\]]*\])?$", re.IGNORECASE
)
_PATH = re.compile(r"\.{1,2}(?:[\\/\[]|$)|[\\/~]|[A-Za-z]:[\\/]|(?:\w+\+)?file:", re.IGNORECASE)
_NAMED = re.compile(r"^[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*(?=\S)")
# As git writes addresses without a scheme.
_SSH = re.compile(r"\w+@[\w-]+(?:\.[\w-]+)+:")
_ONE_EQUALS_SIGN = re.compile(r"[\w.-]+\s*=[^=]")

_TOO_LONG = f"has more than {_LONGEST_LINE} characters; write the requirement shorter"
_TOO_DEEP = f"has more than {_MOST_PARENTHESES} parentheses; write the marker with fewer"
_HASHES = (
    "hashes of packages are not supported; write the requirements without them, as 'uv export --no-hashes' "
    "and 'poetry export --without-hashes' do"
)
_INDEX = (
    "{} does not belong here, for the index that packages come from is set on Airflow's workers, in the "
    "configuration of uv (UV_DEFAULT_INDEX, UV_INDEX, UV_FIND_LINKS or uv.toml); remove it"
)
_BUILD = (
    "{} does not belong here, for how packages are chosen and built is set on Airflow's workers, in the "
    "configuration of uv (uv.toml); remove it"
)
_FILE = "{} is not followed; put the lines of that file here"
_CONSTRAINTS = (
    "{} is not applied; write the versions into the requirements themselves, as "
    "'uv pip compile requirements.in -c constraints.txt' does"
)
_EDITABLE = (
    "{} names a folder of this machine, which is on no worker; remove it, for your own modules are packed "
    "along with the function, and write a package as 'name==1.2' or 'name @ git+https://...'"
)
_PRERELEASES = "{} is not supported; name the pre-release itself: 'name==2.0rc1', or 'name>=2.0rc1'"
_OTHER_OPTION = "{} is an option of pip, which do not belong here; write one package on each line"
_OPTIONS = {
    **dict.fromkeys(("--hash", "--require-hashes"), _HASHES),
    **dict.fromkeys(("-r", "--requirement", "--requirements"), _FILE),
    **dict.fromkeys(("-c", "--constraint", "--constraints"), _CONSTRAINTS),
    **dict.fromkeys(("-e", "--editable"), _EDITABLE),
    "--pre": _PRERELEASES,
    **dict.fromkeys(
        "-i --index-url --pypi-url --extra-index-url --index --default-index --no-index -f --find-links "
        "--trusted-host --cert --client-cert --proxy".split(),
        _INDEX,
    ),
    **dict.fromkeys(
        "--no-binary --only-binary --prefer-binary --no-build-isolation --use-pep517 --no-use-pep517 -C "
        "--config-setting --config-settings --global-option --build-option --install-option".split(),
        _BUILD,
    ),
}

_LOCAL = (
    "is a file or folder of one machine, which is on no worker; name a version, 'name==1.2' (in a conda "
    "environment 'pip list --format=freeze' writes those), or a URL, 'name @ https://...'"
)
_NO_NAME = "has no name; write 'name @ https://...' or 'name @ git+https://...'"
_CONDA = "has a single equals sign, as conda writes them; write 'name==1.2'"
_NO_REQUIREMENT = "is not a requirement; write 'name==1.2' or 'name @ https://...'"


def decoded(data: bytes) -> str:
    """Return the text of a requirements file: by its byte order mark, its coding line, else as UTF-8.

    :raises UnicodeDecodeError: it is not text in that encoding.
    :raises LookupError: the coding line names an unknown encoding.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding)
    for line in data.split(b"\n")[:2]:
        if line.startswith(b"#") and (found := _ENCODING.search(line)):
            return data.decode(found[1].decode("ascii"))
    return data.decode("utf-8")


def requirement_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, without comments, each with its number from 1.

    :param lines: of a file; those that end with a backslash are joined with the next one, and have the number
        of the first.
    """
    for number, line in _joined(lines):
        if bare := _COMMENT.sub("", line).strip():
            yield number, bare


def problem_of(line: str) -> str:
    """Return what is wrong with a requirement line, as the rest of a sentence that begins with the line.

    :return: empty when nothing is wrong.
    """
    if problem := _unreadable(line):
        return problem
    requirement = parsed(line)
    if _SSH.match(line):
        return _NO_NAME
    if requirement is not None:
        # As pip: what ends like an archive is a file, even though it could be a name.
        place = requirement.url or (line if _ARCHIVE.search(requirement.name) else "")
        return _LOCAL if place and _is_local(place) else ""
    option = _OPTION.search(line)
    if option:
        return "cannot be used here: " + _OPTIONS.get(option[1], _OTHER_OPTION).format(option[1])
    if "://" in line.split("@")[0]:
        return _LOCAL if _PATH.match(line) else _NO_NAME
    if _is_local(_NAMED.sub("", line)):
        return _LOCAL
    return _CONDA if _ONE_EQUALS_SIGN.match(line) else _NO_REQUIREMENT


@lru_cache(maxsize=4096)
def parsed(line: str) -> Requirement | None:
    """Return the requirement in a line; None when it is not one."""
    if _unreadable(line):
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    # Its message repeats the line, so it must not become the cause, or the context, of ours.
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _unreadable(line: str) -> str:
    """Return why a line is not given to packaging; empty when it can be."""
    if len(line) > _LONGEST_LINE:
        return _TOO_LONG
    return _TOO_DEEP if line.count("(") > _MOST_PARENTHESES else ""


def _is_local(place: str) -> bool:
    """Check whether the target of a requirement is a path, however it is written."""
    place = place.partition(";")[0].strip()
    if _PATH.match(place):
        return True
    if "://" in place or place.startswith("${"):
        return False
    return bool(_ARCHIVE.search(place)) or "/" in place or "\\" in place


def _joined(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    first, parts = 0, list[str]()
    for number, ended in enumerate(lines, 1):
        line = ended.rstrip("\r\n")
        first = first if parts else number
        is_comment = line.lstrip().startswith("#")
        # As pip: a comment ends what is continued, whatever the comment ends with.
        parts.append(" " + line if is_comment else line.rstrip("\\") if line.endswith("\\") else line)
        if is_comment or not line.endswith("\\"):
            yield first, "".join(parts)
            parts = []
    if parts:
        yield first, "".join(parts)
