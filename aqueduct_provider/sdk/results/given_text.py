"""Show in a few words which parameters a run was given."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

# Parameters that are shown.
_MOST = 5
_plain = reprlib.Repr()
_plain.maxstring = _plain.maxother = 40


def given_text(conf: Mapping[str, Any]) -> str:
    """Return the values that a run was triggered with, without those that have the name of a secret.

    :param conf: of the run, which whoever may trigger runs has written.
    :return: such as ``, trees=200, model=(stored)``; empty: all parameters have their defaults.
    """
    from aqueduct_provider.sdk.console import terminal_safe
    from aqueduct_provider.spec.run_values import VALUES_KEY
    from aqueduct_provider.spec.secret_text import is_secret_name

    stored = conf.get(VALUES_KEY)
    values = {name: _plain.repr(value) for name, value in conf.items() if name != VALUES_KEY}
    if isinstance(stored, Mapping):
        values |= dict.fromkeys(stored, "(stored)")
    shown = [f"{name}={'***' if is_secret_name(name) else value}" for name, value in values.items()]
    more = ["..."] if len(shown) > _MOST else []
    return terminal_safe("".join(f", {one}" for one in [*shown[:_MOST], *more]))
