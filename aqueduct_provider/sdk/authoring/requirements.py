"""Which packages a function needs: what its author gave, or the ``requirements.txt`` beside it.

In: a path, lines, or None, and the function. Out: pip requirements, each of which is one. Messages never show
user names, passwords and queries of URLs. Must not import at module level: packaging.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from aqueduct_provider.errors import AuthoringError, RequirementsMissing

FILE_NAME = "requirements.txt"

# As pip: a # begins a comment at the start of a line or after white space, so not in the fragment of a URL.
_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"(?:^|\s)(--?[A-Za-z][A-Za-z-]*)")
# Up to the last @, which may be that of a tag: a password that holds a slash is none the less hidden.
_CREDENTIALS = re.compile(r"://\S*@")
_QUERY = re.compile(r"\?[^\s#]*")


def requirements_of(
    given: str | Path | Sequence[str] | None, function: Callable[..., Any]
) -> tuple[str, ...]:
    """The requirements of a function, in the order in which they were given.

    :param given: the path of a requirements file, relative to the working directory or else to the function's
        file; or lines of such a file; None: the ``requirements.txt`` beside the function's file, or in the
        working directory for functions of a notebook.
    :raises RequirementsMissing: there is no such file.
    :raises AuthoringError: a line is an option of pip or no requirement.
    """
    if given is None:
        path = folder_of(function) / FILE_NAME
        if not path.is_file():
            raise RequirementsMissing(
                f"Nothing says which packages {name_of(function)!r} needs. Name them, "
                f'requirements=["pandas==2.2.3"], or say that it needs none, requirements=[], or put a '
                f"{FILE_NAME} into {path.parent}."
            )
        return _of_file(path)
    if isinstance(given, (str, Path)):
        return _of_file(_existing(Path(given), function))
    where = f"requirements of {name_of(function)!r}, entry"
    return _checked((f"{where} {number}", line) for number, line in enumerate(given, 1))


def folder_of(function: Callable[..., Any]) -> Path:
    """Where the function's file lies; the working directory for functions of a notebook."""
    code = getattr(innermost(function), "__code__", None)
    file = Path(code.co_filename) if code else None
    # With its debugger on, Jupyter writes each cell to a file of its own.
    if file is None or not file.is_file() or file.parent.name.startswith("ipykernel_"):
        return Path.cwd()
    return file.resolve().parent


def innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that a partial, a decorated function or a callable object calls in the end."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            break
    return function if inspect.isroutine(function) else type(function).__call__


def name_of(function: Callable[..., Any]) -> str:
    """What people call the function; for those that have no name, their class."""
    return str(getattr(function, "__name__", "") or type(function).__name__)


def without_credentials(line: str) -> str:
    """A requirement, fit to be shown: without user names, passwords and queries of URLs."""
    return _QUERY.sub("?***", _CREDENTIALS.sub("://***@", line))


def _existing(path: Path, function: Callable[..., Any]) -> Path:
    folders = (Path.cwd(), folder_of(function))
    for folder in folders:
        if (folder / path).is_file():
            return folder / path
    places = " or ".join(dict.fromkeys(str(folder) for folder in folders))
    raise RequirementsMissing(
        f"The requirements file {str(path)!r} of {name_of(function)!r} is not there; it was looked for in "
        f'{places}. Mend the path, or list the packages: requirements=["pandas==2.2.3"].'
    )


def _of_file(path: Path) -> tuple[str, ...]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AuthoringError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    return _checked((f"{path}, line {number}", line) for number, line in _joined(text.splitlines()))


def _joined(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, those that end with a backslash joined with the next one."""
    first, parts = 0, list[str]()
    for number, line in enumerate(lines, 1):
        first = first if parts else number
        is_comment = line.lstrip().startswith("#")
        # As pip: a comment ends what is continued, whatever the comment ends with.
        parts.append(" " + line if is_comment else line.rstrip("\\") if line.endswith("\\") else line)
        if is_comment or not line.endswith("\\"):
            yield first, "".join(parts)
            parts = []
    if parts:
        yield first, "".join(parts)


def _checked(lines: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    bare = ((where, _COMMENT.sub("", line).strip()) for where, line in lines)
    return tuple(dict.fromkeys(_requirement(where, line) for where, line in bare if line))


def _requirement(where: str, line: str) -> str:
    if _is_requirement(line):
        return line
    option = _OPTION.search(line)
    if option:
        raise AuthoringError(
            f"{where}: the option {option[1]} of pip does not belong here; write one package on each line. "
            "The index that packages come from is set on Airflow's workers."
        )
    raise AuthoringError(
        f"{where}: {without_credentials(line)!r} is no requirement. Write 'name==1.2' or 'name @ https://...'."
    )


def _is_requirement(line: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    # Its message repeats the line, so it must not become the cause, or the context, of ours.
    try:
        Requirement(line)
    except InvalidRequirement:
        return False
    return True
