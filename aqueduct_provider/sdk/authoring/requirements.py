"""Which packages a function needs: what its author gave, or the ``requirements.txt`` next to it.

In: a path, lines, or None, and the function. Out: pip requirements, each of which is one. Messages never show
passwords, tokens and queries of URLs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from aqueduct_provider.errors import AuthoringError, RequirementsMissing
from aqueduct_provider.sdk.packaging.user_function import folder_of, name_of
from aqueduct_provider.spec.requirement_lines import decoded, problem_of, requirement_lines
from aqueduct_provider.spec.requirement_sets import THIS_PYTHON, contradiction
from aqueduct_provider.spec.url_credentials import without_credentials

FILE_NAME = "requirements.txt"
Requirements: TypeAlias = str | Path | Sequence[str] | None


def requirements_of(given: Requirements, function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the requirements of a function, in the order in which they were given.

    :param given: the path of a requirements file, relative to the working directory or else to the function's
        file; or lines of such a file; None: the ``requirements.txt`` next to the function's file, or in the
        working directory for functions of a notebook.
    :raises RequirementsMissing: the file does not exist.
    :raises AuthoringError: a line is an option of pip, a path of this machine or not a requirement, or two
        lines contradict each other on Linux with this version of Python.
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
    return _checked(f"requirements of {name_of(function)!r}", "entry", given)


def _existing(path: Path, function: Callable[..., Any]) -> Path:
    folders = (Path.cwd(), folder_of(function))
    for folder in folders:
        if (folder / path).is_file():
            return folder / path
    places = " or ".join(dict.fromkeys(str(folder) for folder in folders))
    raise RequirementsMissing(
        f"The requirements file {str(path)!r} of {name_of(function)!r} is not there; it was looked for in "
        f'{places}. Correct the path, or list the packages: requirements=["pandas==2.2.3"].'
    )


def _of_file(path: Path) -> tuple[str, ...]:
    try:
        text = decoded(path.read_bytes())
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise AuthoringError(f"{path} cannot be read as text in UTF-8: {error}.") from error
    return _checked(str(path), "line", text.splitlines())


def _checked(source: str, unit: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return the requirements in lines, each once.

    :param unit: what a line of the source is called.
    """
    numbers: dict[str, int] = {}
    for number, line in requirement_lines(given):
        if problem := problem_of(line):
            raise AuthoringError(f"{source}, {unit} {number}: {without_credentials(line)!r} {problem}.")
        numbers.setdefault(line, number)
    _refuse_contradictions(source, unit, numbers)
    return tuple(numbers)


def _refuse_contradictions(source: str, unit: str, numbers: dict[str, int]) -> None:
    lines = tuple(numbers)
    found = contradiction(lines, THIS_PYTHON)
    if found is None:
        return
    wrong = [lines[place] for place in found.places]
    shown = " and ".join(repr(without_credentials(line)) for line in wrong)
    if len(wrong) == 1:
        raise AuthoringError(
            f"{source}, {unit} {numbers[wrong[0]]}: no version of {found.name} can be {shown}; correct its "
            "bounds."
        )
    places = " and ".join(f"{unit} {numbers[line]}" for line in wrong)
    raise AuthoringError(
        f"{source}, {places}: {shown} contradict each other, for an environment has one version of "
        f"{found.name}; keep one of them."
    )
