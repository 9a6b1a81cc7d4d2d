"""Writes ``docs/spec-reference.md`` from the JSON Schema of the native spec.

Run it after a change of ``aqueduct_provider/spec/models.py``; a test compares the page with what it gives.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aqueduct_provider.spec.document import MAX_VALUES
from aqueduct_provider.spec.schema import json_schema
from aqueduct_provider.spec.types import IDENTIFIER_PATTERN, MAX_ENTRIES, MAX_NAME, MAX_OPERATORS, MAX_TEXT

PAGE = Path(__file__).with_name("spec-reference.md")

INTRODUCTION = f"""\
# Spec reference

<!-- Written by docs/generate_spec_reference.py from the models: do not edit. -->

A native spec is one JSON object, UTF-8, at most 16 MiB. Fields that are not listed here are errors.
`aqueduct-airflow lint SPEC` checks a file and reports every problem with its JSON path;
`aqueduct-airflow schema` prints the JSON Schema from which this page is made, for editors.

An *identifier* is text of 1 to 200 letters, digits, `_`, `-` and `.`, and does not begin with a dot.

Beyond the types below: ids and task ids are unique; each artifact has one producer; every input is some
operator's output; the tasks form no cycle; each parameter is read by exactly one `param` operator; a
`metric`, `check`, `param`, `extract` and `system_metric` has exactly one output, a `load` none and at least
one input, a `system_metric` exactly one input, a `param` none; parameters whose values are not JSON (such as
tables) have a stored default; tables in files need a format; requirements are plain requirement lines,
without options of pip and paths, that do not contradict each other.

Limits, so that one spec cannot keep Airflow from showing the others: {MAX_OPERATORS:,} operators,
{MAX_ENTRIES:,} entries in most lists, {MAX_NAME:,} characters in names, paths and keys,
{MAX_TEXT:,} in descriptions and queries, 2,000 in a requirement line, {MAX_VALUES:,} JSON values in all.
Larger values belong in the artifact store, by key.

Specs of the original Aqueduct (`"type": "compile_airflow"`) are read too; they are generated, not written by
hand, and have no reference here.
"""


def page() -> str:
    """The whole page."""
    schema = json_schema()
    models = {"Spec": schema} | {
        name: model for name, model in schema["$defs"].items() if "properties" in model or "enum" in model
    }
    return "\n".join([INTRODUCTION, *(_section(name, model) for name, model in models.items())])


def _section(name: str, model: dict[str, Any]) -> str:
    lines = [f"## {name}", "", model.get("description", "").replace("``", "`"), ""]
    if "enum" in model:
        return "\n".join([*lines, "One of " + ", ".join(f"`{value}`" for value in model["enum"]) + ".", ""])
    lines += ["| field | type | default | meaning |", "| --- | --- | --- | --- |"]
    required = model.get("required", ())
    for field, details in model["properties"].items():
        default = "required" if field in required else _default(details)
        lines.append(f"| `{field}` | {_type(details)} | {default} | {_meaning(details)} |")
    return "\n".join([*lines, ""])


def _default(details: dict[str, Any]) -> str:
    return f"`{json.dumps(details['default'])}`" if "default" in details else ""


def _meaning(details: dict[str, Any]) -> str:
    examples = ", ".join(f"`{json.dumps(example)}`" for example in details.get("examples", ()))
    text = details.get("description", "") + (f" Example: {examples}." if examples else "")
    return text.replace("|", "\\|").replace("``", "`")


def _type(details: dict[str, Any]) -> str:
    if "$ref" in details:
        name = details["$ref"].rpartition("/")[2]
        return "any JSON" if name == "JsonValue" else f"[{name}](#{name.lower()})"
    if "const" in details:
        return f"`{json.dumps(details['const'])}`"
    if "enum" in details:
        return " or ".join(f"`{json.dumps(value)}`" for value in details["enum"])
    for union in ("anyOf", "oneOf"):
        if union in details:
            return " or ".join(_type(member) for member in details[union])
    if details.get("type") == "array":
        return f"list of {_type(details['items'])}"
    if details.get("pattern") == IDENTIFIER_PATTERN:
        return "identifier"
    return str(details.get("format") or details.get("type", "any JSON")) + _limits(details)


def _limits(details: dict[str, Any]) -> str:
    words = {
        "pattern": "`{}`",
        "minLength": "at least {} long",
        "maxLength": "at most {} long",
        "exclusiveMinimum": "> {:.10g}",
        "minimum": ">= {:.10g}",
        "maximum": "<= {:.10g}",
    }
    # Those that most texts have are in the introduction.
    common = {"maxLength": (MAX_NAME, MAX_TEXT)}
    limits = [
        text.format(details[key])
        for key, text in words.items()
        if key in details and details[key] not in common.get(key, ())
    ]
    return f" ({', '.join(limits)})" if limits else ""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
