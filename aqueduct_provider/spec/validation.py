"""JSON against pydantic models, with every problem in plain words.

In: the bytes, the tree that ``document.read`` made of them, a model class. Out: a model and problems.
Messages name fields and choices, never values: a value in the wrong place may be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, Tag, ValidationError

from aqueduct_provider.connectors import registry
from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.conditions import ADDRESS_PATTERN, CLASS_PATTERN, CONNECTION_PATTERN
from aqueduct_provider.spec.document import TOO_DEEP, Parts, json_path
from aqueduct_provider.spec.flow_version import COMMIT_PATTERN
from aqueduct_provider.spec.models import DIGEST_PATTERN, IDENTIFIER_PATTERN, PYTHON_PATTERN

# A spec that is wrong in more places than this is wrong as a whole.
MAX_PROBLEMS = 200
_MOST_COMPARED = 30_000

AnyModel = TypeVar("AnyModel", bound=BaseModel)

_WORDS = {
    "string_type": "must be text, in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list, in [ ]",
    "model_type": "must be an object, in {{ }}",
    "model_attributes_type": "must be an object, in {{ }}",
    "dict_type": "must be an object, in {{ }}",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entry",
    "greater_than": "must be greater than {gt:.10g}",
    "greater_than_equal": "must be at least {ge:.10g}",
    "less_than_equal": "must be at most {le:.10g}",
}
_UUID = "must be a UUID, such as 6a1d3f0e-8c0b-4c5e-9d2f-0123456789ab"
_TIME = "must be a time with its offset, such as 2026-01-31T12:00:00+00:00"
_PATTERNS = {
    DIGEST_PATTERN: "must be a sha256: 64 digits 0-9 a-f",
    IDENTIFIER_PATTERN: "must be made of letters, digits, _ - and . only, and not begin with a dot",
    COMMIT_PATTERN: "must be the full id of a commit: 40 or 64 digits 0-9 a-f",
    PYTHON_PATTERN: "must be a minor version of Python 3, such as 3.11",
    CONNECTION_PATTERN: "must be the id of an Airflow connection, not a URL",
    CLASS_PATTERN: "must be a module and a class, such as my.module.Notifier",
    ADDRESS_PATTERN: "must be one mail address, such as team@example.org",
}
# Fields that ``graph`` and ``semantic_checks`` do not need: a problem in them must not stop those checks.
_ASIDE = frozenset(
    "$schema description tags created_at retries retry_delay timeout pool resources image keep_snapshot "
    "severity check_severity retention notifications sha256 python_version region".split()
)


@dataclass(frozen=True)
class _Finding:
    """A problem, and what a second look at the rest of the document must know of it.

    :param field: for an unknown field, the known one that was probably meant, or empty; else None.
    """

    parts: Parts
    message: str
    field: str | None = None


def validated(model: type[AnyModel], data: bytes, tree: Any) -> tuple[AnyModel | None, list[Problem]]:
    """Validate ``data`` against the model and find what is wrong with its shape.

    A document whose only faults are unknown fields, or fields that stand aside of all further checks,
    still gives a model (of a repaired copy), so that those checks can add their problems.
    """
    try:
        return model.model_validate_json(data), []
    except ValidationError as error:
        findings = _findings(error, model, tree)
    try:
        fixed = model.model_validate_json(_fixed(tree, findings))
    except (ValidationError, _NotFixable, RecursionError):
        fixed = None
    return fixed, _problems((), findings)


def validated_part(
    model: type[AnyModel], part: Mapping[str, Any], base: Parts
) -> tuple[AnyModel | None, list[Problem]]:
    """Do the same as :func:`validated` for a part that was read before and is at ``base``."""
    try:
        return model.model_validate(part), []
    except ValidationError as error:
        return None, _problems(base, _findings(error, model, part))


def suggestion(word: str, known: Collection[str]) -> str:
    """Return the known word that ``word`` was probably meant to be, or nothing."""
    # difflib takes time with the square of the length, and this is asked for each of many problems.
    if len(word) ** 2 * len(known) > _MOST_COMPARED:
        return ""
    return next(iter(get_close_matches(word, known, 1)), "")


def _problems(base: Parts, findings: list[_Finding]) -> list[Problem]:
    found = (Problem(json_path((*base, *finding.parts)), finding.message) for finding in findings)
    return list(dict.fromkeys(found))


def _findings(error: ValidationError, model: type[BaseModel], tree: Any) -> list[_Finding]:
    details = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
    findings = [(detail["type"], _finding(detail, model, tree)) for detail in details]
    # pydantic counts valid entries only: a list is not short because what it holds is wrong.
    return [found for kind, found in findings if kind != "too_short" or not _node(tree, found.parts)]


def _finding(detail: Any, model: type[BaseModel], tree: Any) -> _Finding:
    parts, owner, expected = _resolve(detail["loc"], model)
    kind, context = detail["type"], detail.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return _unknown(parts, owner)
        case "missing":
            field = owner.model_fields[str(parts[-1])]
            return _Finding(parts, f"missing; add it: {field.description or 'this field is required'}")
        case "union_tag_not_found":
            return _Finding(_tag_of(parts, context), f"missing; add one of {_listed(_tags(expected))}")
        case "union_tag_invalid":
            place = _tag_of(parts, context)
            # A broken package may be why a name is unknown.
            why = registry.problems() if place[-1] == "connector" else ()
            return _Finding(place, "; ".join([_choice(_tags(expected), tree, place), *why]))
        case "literal_error" | "enum":
            return _Finding(parts, _choice(_choices(expected), tree, parts))
        case "json_invalid":
            deep = "recursion" in str(context.get("error"))
            return _Finding((), TOO_DEEP if deep else "not valid JSON; publish the flow again")
    return _Finding(parts, _words(kind, context, expected))


def _words(kind: str, context: Mapping[str, Any], expected: Any) -> str:
    if _is_union(expected) and not _models_of_union(expected):
        if int in get_args(expected):
            return "must be text or an integer"
        return "must be a non-empty string, or a list of at least one"
    if kind == "string_pattern_mismatch":
        return _PATTERNS[context["pattern"]]
    if kind.startswith("uuid"):
        return _UUID
    if kind.startswith(("datetime", "timezone")):
        return _TIME
    if kind == "too_long" and expected is SecretStr:
        kind = "string_too_long"
    words = _WORDS.get(kind, "does not fit; see the spec reference for what is allowed here")
    return words.format_map(context)


def _unknown(parts: Parts, owner: type[BaseModel]) -> _Finding:
    known = [field.alias or name for name, field in owner.model_fields.items()]
    meant = suggestion(str(parts[-1]), known)
    hint = f"did you mean '{meant}'?" if meant else f"remove it; known here: {', '.join(known)}"
    return _Finding(parts, f"unknown field, {hint}", meant)


def _choice(choices: list[str], tree: Any, parts: Parts) -> str:
    given = _node(tree, parts)
    meant = suggestion(given, choices) if isinstance(given, str) else ""
    return f"must be {_listed(choices)}" + (f"; did you mean '{meant}'?" if meant else "")


def _listed(words: list[str]) -> str:
    quoted = [f"'{word}'" for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


# --- where an error is: pydantic puts the tags of unions into its locations; the models separate them


def _resolve(location: Parts, model: type[BaseModel]) -> tuple[Parts, type[BaseModel], Any]:
    """Return the path without tags, the innermost model on it, and the type that is expected at its end."""
    parts: list[str | int] = []
    owner, expected = model, _bare(model)
    for part in location:
        if _is_union(expected):
            members = _models_of_union(expected)
            # Anything but a tag names a branch of another union, or means that the key is wrong.
            if part not in members:
                break
            expected = members[str(part)]
        else:
            parts.append(part)
            owner = expected if _is_model(expected) else owner
            expected = _inside(expected, part)
    return tuple(parts), owner, expected


def _inside(expected: Any, part: str | int) -> Any:
    if _is_model(expected):
        field = expected.model_fields.get(part)
        return _bare(field.annotation) if field else None
    arguments = get_args(expected)
    if get_origin(expected) is dict:
        return _bare(arguments[1])
    return _bare(arguments[0]) if get_origin(expected) is tuple else None


def _bare(annotation: Any) -> Any:
    """Return the type without ``Annotated`` and ``| None``; a union of others stays."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if _is_union(annotation):
        members = [member for member in get_args(annotation) if member is not NoneType]
        return _bare(members[0]) if len(members) == 1 else Union[tuple(members)]  # noqa: UP007
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _models_of_union(annotation: Any) -> dict[str, Any]:
    """Return tag -> model, or a union within, for a discriminated union; empty for all else."""
    if not _is_union(annotation):
        return {}
    members = [(member, _bare(member)) for member in get_args(annotation)]
    return {
        tag: model
        for member, model in members
        if _is_model(model) or _models_of_union(model)
        for tag in _member_tags(member, model)
    }


def _member_tags(member: Any, model: Any) -> Iterator[str]:
    named = [extra.tag for extra in getattr(member, "__metadata__", ()) if isinstance(extra, Tag)]
    if not _is_model(model):
        yield from named
        return
    tag = "type" if "type" in model.model_fields else "connector"
    yield from named or _literals(model.model_fields[tag].annotation)


def _literals(annotation: Any) -> Iterator[str]:
    """Return the choices of a literal, or of a union of them."""
    for part in get_args(annotation):
        yield from [part] if isinstance(part, str) else _literals(part)


def _tag_of(parts: Parts, context: Mapping[str, Any]) -> Parts:
    """Return the place of the field that discriminates the models of a union; pydantic quotes its name."""
    return (*parts, str(context["discriminator"]).strip("'"))


def _tags(annotation: Any) -> list[str]:
    return list(_models_of_union(annotation))


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    return [str(member.value) for member in annotation] if issubclass(annotation, Enum) else []


# --- a second look at the rest


class _NotFixable(Exception):
    """A problem that cannot be ignored."""


def _fixed(tree: Any, findings: list[_Finding]) -> bytes:
    """Return the document without what the findings name. Raises ``_NotFixable``."""
    if len(findings) == MAX_PROBLEMS:
        raise _NotFixable
    copy = json.loads(json.dumps(tree, default=lambda _: None))
    for finding in findings:
        parts = finding.parts
        if finding.field is not None:
            _rename(_node(copy, parts[:-1]), str(parts[-1]), finding.field)
            continue
        aside = next((index for index, part in enumerate(parts) if part in _ASIDE), None)
        if aside is None:
            raise _NotFixable
        holder = _node(copy, parts[:aside])
        if isinstance(holder, dict):
            holder.pop(parts[aside], None)
    return json.dumps(copy).encode()


def _rename(holder: Any, name: str, meant: str) -> None:
    value = holder.pop(name)
    if meant:
        holder.setdefault(meant, value)


def _node(tree: Any, parts: Parts) -> Any:
    """Return what is at a path; None: nothing."""
    for part in parts:
        if isinstance(tree, dict):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree
