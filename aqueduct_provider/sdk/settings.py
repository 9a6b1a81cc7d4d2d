"""Settings of the whole process: eager or lazy, whole tracebacks, whether an operator's code is running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.keywords import suggest_keywords
from aqueduct_provider.sdk.own_frames import keep_whole
from aqueduct_provider.sdk.suggest import suggestion

_lazy = False
# Not a setting of the process, but of a call: other threads may record while one computes.
_inside_operator: ContextVar[bool] = ContextVar("aqueduct_inside_operator", default=False)


@suggest_keywords
def global_config(config_dict: Mapping[str, Any]) -> None:
    """Set what holds for all calls of operators from now on.

    :param config_dict: ``"lazy"``: whether calls only record, and values are computed when they are asked for
        (``False`` in the beginning). ``"engine"``: only ``"aqueduct"`` or None; the engine of a flow is named
        in ``publish_flow``.
    :raises AuthoringError: an unknown key, or a value that cannot be used; nothing is changed then.

    ::

        aq.global_config({"lazy": True})
    """
    global _lazy
    if not isinstance(config_dict, Mapping):
        raise AuthoringError(
            f"global_config takes a dict such as {{'lazy': True}}, not {type(config_dict).__name__}."
        )
    for key, value in config_dict.items():
        _check(key, value)
    _lazy = config_dict.get("lazy", _lazy)


@suggest_keywords
def debug_tracebacks(whole: bool = True) -> None:
    """Show tracebacks of the SDK whole, with its own frames and the causes of its errors.

    Without it they end in your line, or in your function where that failed. The environment variable
    ``AQUEDUCT_DEBUG_TRACEBACKS=1`` does the same from the start.

    :param whole: False: leave them out again.
    :raises AuthoringError: it is neither True nor False.

    ::

        aq.debug_tracebacks(True)
    """
    if not isinstance(whole, bool):
        raise AuthoringError(f"debug_tracebacks takes True or False, not {whole!r}.")
    keep_whole(whole)


def is_lazy() -> bool:
    """Return whether calling an operator only records it."""
    return _lazy


@contextmanager
def inside_operator() -> Iterator[None]:
    """Let operators be plain functions while an operator's code runs here, as on a worker."""
    token = _inside_operator.set(True)
    try:
        yield
    finally:
        _inside_operator.reset(token)


def is_inside_operator() -> bool:
    """Return whether an operator's code is running."""
    return _inside_operator.get()


def _check(key: Any, value: Any) -> None:
    match key:
        case "lazy":
            if not isinstance(value, bool):
                raise AuthoringError(
                    f"global_config: 'lazy' must be True or False, not {type(value).__name__}."
                )
        case "engine":
            if value is not None and not (isinstance(value, str) and value.lower() == "aqueduct"):
                raise AuthoringError(
                    f"global_config: 'engine' cannot be {value!r}. Operators that are called are computed "
                    "here, so that their results can be seen at once; Airflow runs whole flows only. Name it "
                    "when you publish: client.publish_flow(..., engine=...)."
                )
        case _:
            hint = suggestion(str(key), ["lazy", "engine"])
            raise AuthoringError(f"global_config: unknown setting {key!r}.{hint}")
