"""Options of drivers, which connections hold as text (pure)."""

from __future__ import annotations

from typing import Any

from aqueduct_provider.connectors.base import Config

_WORDS = {"true": True, "false": False}


def driver_options(config: Config) -> dict[str, Any]:
    """The options of a configuration: truth values and whole numbers are what they read as."""
    texts = {name: str(value) for name, value in (config.get("options") or {}).items()}
    return {
        name: _WORDS.get(text.lower(), int(text) if text.isdecimal() else text)
        for name, text in texts.items()
    }
