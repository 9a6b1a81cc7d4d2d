"""Where a version comes from: who publishes it, why, and from which commit."""

from __future__ import annotations

import getpass
from contextlib import suppress
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.publishing.git_facts import git_facts, script_folder


def this_user() -> str:
    """Return the name of the user of this machine; empty where it is unknown, as in some containers."""
    from aqueduct_provider.spec.flow_version import MAX_PUBLISHER

    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()[:MAX_PUBLISHER]
    return ""


def version_message(caller: str, message: str) -> dict[str, str]:
    """Return the field of a version that says what it changes; nothing where its publisher says nothing.

    :param caller: the function that was given the message, for errors.
    :raises AuthoringError: it is not text, or too long.
    """
    from aqueduct_provider.spec.flow_version import MAX_MESSAGE

    if not isinstance(message, str) or len(message) > MAX_MESSAGE:
        found = f"{len(message)} characters" if isinstance(message, str) else f"a {type(message).__name__}"
        raise AuthoringError(
            f"{caller}: message must be text of at most {MAX_MESSAGE} characters that says what this version "
            f"changes; {found} was given."
        )
    return {"message": message} if message else {}


def publisher() -> dict[str, str]:
    """Return the field of a version that names who publishes it; nothing where that is unknown."""
    user = this_user()
    return {"published_by": user} if user else {}


def code_origin() -> dict[str, Any]:
    """Return the field of a version that names the commit of its code; nothing where it is unknown."""
    found = git_facts(script_folder())
    return {"git": found} if found else {}
