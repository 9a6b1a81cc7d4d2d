"""Replay an operator of a run on this machine: the published code, or a corrected function, on its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.calls import Operator

if TYPE_CHECKING:
    from aqueduct_provider.sdk.results.run_reader import RunReader


def replay(
    run: RunReader,
    operator: str,
    function: Callable[..., Any] | None,
    *,
    debug: bool,
    isolated: bool,
    trust_store: bool,
) -> Any:
    """Call an operator's function, and return its value, or a tuple of its values. See ``Run.replay``."""
    from aqueduct_provider.sdk.reruns.replayed_operator import replayed_operator

    if debug and isolated:
        raise AuthoringError(
            "debug=True stops in this process, and isolated=True runs the operator in another one. Use one "
            "of them; where its packages are missing here, install them to debug it."
        )
    # Installing what the spec requires runs code, too, unless the function brings its own requirements.
    own = function is not None and (not isolated or isinstance(function, Operator))
    replayed = replayed_operator(run, operator, trust_store=trust_store, without_code=own, isolated=isolated)
    corrected = None
    if function is not None:
        from aqueduct_provider.sdk.reruns.corrected_function import corrected_function

        corrected = corrected_function(replayed, function)
    if isolated:
        from aqueduct_provider.sdk.reruns.replay_isolated import replay_isolated

        return replay_isolated(replayed, run.session.store, corrected)
    from aqueduct_provider.sdk.reruns.replay_here import replay_here

    return replay_here(replayed, run.session.store, corrected, debug=debug)
