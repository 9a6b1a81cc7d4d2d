"""Pass the credentials of git requirements to git by its environment: uv would put them on a command line.

Anyone on a machine can read the command lines of its processes, their variables only the user they run as.
"""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

_GIT_URL = re.compile(r"(git\+(https?://))([^/@\s]+)@([^/@\s?#;]+)([^@\s?#;]*)")


# What uv replaces in files of requirements.
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


def without_git_credentials(
    requirements: Iterable[str], worker: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return requirements without the credentials of their git URLs, and the variables that give them to git.

    They need git 2.31.

    :param requirements: lines such as ``pkg @ git+https://user:token@host/repo.git``.
    :param worker: the variables that credentials such as ``${UV_TOKEN}`` name.
    """
    found = defaultdict[str, dict[str, str]](dict)

    def note(match: re.Match[str]) -> str:
        prefix, scheme, user, host, path = match.groups()
        user = _VARIABLE.sub(lambda name: worker.get(name[1], name[0]), user)
        found[f"{scheme}{host}/"][f"{scheme}{host}{path}"] = user
        return f"{prefix}{host}{path}"

    lines = [_GIT_URL.sub(note, line) for line in requirements]
    headers = dict[str, str]()
    for site, users in found.items():
        # For the whole site, so that submodules of a repository have them; unless repositories differ.
        every = {site: next(iter(users.values()))} if len(set(users.values())) == 1 else users
        for url, user in every.items():
            name, _, password = user.partition(":")
            pair = f"{unquote(name)}:{unquote(password)}".encode()
            headers[f"http.{url}.extraHeader"] = f"Authorization: Basic {base64.b64encode(pair).decode()}"
    variables = {"GIT_CONFIG_COUNT": str(len(headers))} if headers else {}
    for number, (key, value) in enumerate(headers.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return lines, variables
