"""Options of drivers, which connections hold as text (pure)."""

from __future__ import annotations

import json
from typing import Any

from aqueduct_provider.connectors.system import option_text
from aqueduct_provider.connectors.system_options import option_problems, used_options
from aqueduct_provider.connectors.tables.model import Config
from aqueduct_provider.errors import ConfigError

_WORDS = {"true": True, "false": False}


def options_of(connector: str, config: Config) -> dict[str, str]:
    """Return the options of a configuration as text.

    :raises ConfigError: one cannot be used.
    """
    options = config.get("options") or {}
    if problems := list(option_problems(connector, options)):
        raise ConfigError(f"The options of {connector}: {'; '.join(problems)}. Correct the connection.")
    return used_options(connector, options)


def driver_options(connector: str, config: Config) -> dict[str, Any]:
    """Return the options as a driver takes them: booleans, integers, lists and objects, where they read so.

    :raises ConfigError: one cannot be used.
    """
    return {name: _value(option_text(text)) for name, text in options_of(connector, config).items()}


def _value(text: str) -> Any:
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return _WORDS.get(text.lower(), int(text) if text.isdecimal() else text)
