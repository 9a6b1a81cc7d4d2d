"""A bwrap that cannot work: the message says why and what to do, and no retry is spent on it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import ConfigError, is_retryable
from aqueduct_provider.execution.fork_server import ForkServers
from aqueduct_provider.execution.sandbox import Box, Sandbox
from aqueduct_provider.process import ChildCommand
from tests.support.process_checks import wait_until_no_command_has


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n", "AppArmor"),
        (
            "#!/bin/sh\necho 'bwrap: Unknown option --unshare-cgroup-try' >&2\nexit 1\n",
            r"too old: bwrap: Unknown option --unshare-cgroup-try\. Install bubblewrap 0\.3\.1 or newer",
        ),
        ("not a program", "cannot run .*bwrap: Exec format error"),
        ("#!/no/such/interpreter\n", "cannot run .*bwrap: No such file"),
    ],
)
@pytest.mark.parametrize("has_ended", [True, False])
def test_a_bwrap_that_cannot_work_is_a_setting_to_correct(
    tmp_path: Path, script: str, reason: str, has_ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not bwrap has ended before it is asked for a child."""
    program, job = tmp_path / "bwrap", tmp_path / "job"
    program.write_text(script)
    program.chmod(0o755)
    job.mkdir()
    if has_ended:
        hand_over = Box.hand_over

        def wait_first(box: Box, folder: Path, pipes: Any) -> None:
            wait_until_no_command_has(str(program))
            hand_over(box, folder, pipes)

        monkeypatch.setattr(Box, "hand_over", wait_first)
    with (
        ForkServers(box=Sandbox(str(program), network=True).around(job), single=True) as servers,
        pytest.raises(ConfigError, match=reason) as caught,
    ):
        servers.start(ChildCommand([sys.executable, str(job)], tmp_path, {}))
    assert not is_retryable(caught.value)
    assert ("sysctls" in str(caught.value)) == (reason == "AppArmor")
