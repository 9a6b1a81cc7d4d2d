"""Check and pass on the options of a connection, as the system's declaration has them (pure).

SDK resources, Airflow connections and the connectors themselves go by the same declaration, so that an option
that works in one of them works in all. An option is used, passed on, or refused with what to do instead; none
is dropped.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.system import is_empty, option_text
from aqueduct_provider.errors import ConfigError

_WORDS = {"true": True, "false": False}


def option_problems(connector: str, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the options, each named, without their values.

    :param connector: name of the data system.
    :param options: by name, as the connector calls them.
    """
    rules = registry.get(connector).options
    for name, value in options.items():
        if name in rules.refused:
            if not is_empty(value) and option_text(value).lower() not in ("false", "0"):
                yield f"{name} cannot be used: {rules.refused[name]}"
        elif rules.known is not None and name not in rules.known:
            close = difflib.get_close_matches(name, (*rules.known, *rules.fields), n=1)
            hint = f", did you mean {close[0]!r}?" if close else ": remove it"
            yield f"{name} is unknown{hint}"


def used_options(connector: str, options: Mapping[str, Any]) -> dict[str, str]:
    """Return the options that the connector uses or passes on, as text, once none of them is a problem."""
    refused = registry.get(connector).options.refused
    return {
        name: option_text(value)
        for name, value in options.items()
        if name not in refused and not is_empty(value)
    }


def options_of(connector: str, config: Mapping[str, Any]) -> dict[str, str]:
    """Return the options of a configuration as text.

    :raises ConfigError: one cannot be used.
    """
    options = config.get("options") or {}
    if problems := list(option_problems(connector, options)):
        raise ConfigError(f"The options of {connector}: {'; '.join(problems)}. Correct the connection.")
    return used_options(connector, options)


def driver_options(connector: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as a driver takes them: booleans, integers, lists and objects, where they read so.

    :raises ConfigError: one cannot be used.
    """
    return {name: _value(option_text(text)) for name, text in options_of(connector, config).items()}


def _value(text: str) -> Any:
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return _WORDS.get(text.lower(), int(text) if text.isdecimal() else text)
