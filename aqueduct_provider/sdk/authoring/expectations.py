"""Checks of tables by an expectation of Great Expectations 1.x: a factory of plain functions.

What it returns is packaged like a user's function. It is pickled by value, with what it uses of this module,
for a worker's environment has no ``aqueduct_provider``. Must not import: anything but the standard library at
module level. Great Expectations may be missing here: then a check can be recorded, and runs on a worker.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any], bool]

_INSTALL = 'pip install "airflow-provider-aqueduct[expectations]"'
_LONGEST_ARGUMENTS = 80


def expectation_check(name: str, args: Mapping[str, Any]) -> Check:
    """Return a function that says whether a table meets an expectation.

    It raises ``ValueError`` when the expectation is unknown, when the arguments do not fit it, or when it
    cannot be judged of a table: the table has no such column, for example.

    :param name: ``expect_column_values_to_not_be_null``, or its class, ``ExpectColumnValuesToNotBeNull``.
    :param args: the expectation's arguments, ``{"column": "id"}``.
    :raises AuthoringError: as above, already now, where Great Expectations is installed here.
    """
    arguments = _checked(name, args)

    def meets_expectation(table: Any) -> bool:
        return _meets(table, name, arguments)

    return meets_expectation


def check_name(name: str, args: Mapping[str, Any]) -> str:
    """Return what to call the check: as the original does, and with its arguments.

    Of two checks of a table with the same name, the later takes the place of the earlier.
    """
    text = ", ".join(f"{key}={value!r}" for key, value in args.items())
    if len(text) > _LONGEST_ARGUMENTS:
        text = f"{text[:_LONGEST_ARGUMENTS]}... {hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return f"ge_table_check: {{{name}}}{text and f' {text}'}"


def requirements() -> tuple[str, ...]:
    """Return what the function needs, in the versions that are installed here, if any."""
    from aqueduct_provider.sdk.authoring.presets import table_requirements

    version = _installed()
    own = f"=={version.partition('+')[0]}" if _fits(version) else ">=1,<2"
    return (f"great-expectations{own}", *table_requirements())


def check_installed() -> None:
    """Raise ``AuthoringError`` where checks cannot be computed here, and say what to do."""
    from aqueduct_provider.errors import AuthoringError

    version = _installed()
    if not _fits(version):
        found = f"version {version} of Great Expectations" if version else "no Great Expectations"
        raise AuthoringError(
            f"validate_with_expectation computes the check here, but {found} is installed and version 1 is "
            f"needed. Install it: {_INSTALL}; or only record the check, with lazy=True."
        )


def _installed() -> str:
    """Return the version of Great Expectations that is installed here; empty: none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("great-expectations")
    except PackageNotFoundError:
        return ""


def _fits(version: str) -> bool:
    return version.partition(".")[0] == "1"


def _checked(name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments, judged as far as that is possible here."""
    from aqueduct_provider.errors import AuthoringError

    if not isinstance(name, str):
        raise AuthoringError(f"The name of an expectation is a text, not {name!r} ({type(name).__name__}).")
    if not isinstance(args, Mapping) or not all(isinstance(key, str) for key in args):
        raise AuthoringError(
            f"The arguments of {name!r} must be a dict, name -> value, such as {{'column': 'id'}}, "
            f"not {args!r}."
        )
    if _fits(_installed()):
        try:
            _expectation(name, args)
        except ValueError as exc:
            raise AuthoringError(str(exc)) from exc
    return dict(args)


# --- what runs on the worker


def _meets(table: Any, name: str, arguments: Mapping[str, Any]) -> bool:
    expectation = _expectation(name, arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = _validated(expectation, table)
    reasons = "; ".join(dict.fromkeys(_reasons(result.exception_info or {})))
    if reasons:
        raise ValueError(f"the expectation {name} cannot be judged of this table: {reasons}")
    # Some versions give numpy's own.
    return bool(result.success)


def _expectation(name: str, arguments: Mapping[str, Any]) -> Any:
    """Return the expectation object. Raises ``ValueError``: no such name, or wrong arguments."""
    known = _known()
    kind = known.get(name.replace("_", "").lower())
    if kind is None:
        shown = [one.expectation_type if "_" in name else one.__name__ for one in known.values()]
        close = difflib.get_close_matches(name, shown, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else " They are in great_expectations.expectations."
        raise ValueError(f"Great Expectations has no expectation {name!r}.{hint}")
    try:
        return kind(**arguments)
    except (ValueError, TypeError) as exc:
        reasons = "; ".join(dict.fromkeys(_argument_errors(exc, kind)))
        raise ValueError(f"The arguments of the expectation {name} do not fit: {reasons}") from exc


def _known() -> dict[str, Any]:
    """Return all expectations by their names in small letters without underscores."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from great_expectations import expectations
    kinds = {name: getattr(expectations, name) for name in dir(expectations) if name.startswith("Expect")}
    return {name.lower(): kind for name, kind in kinds.items() if not inspect.isabstract(kind)}


def _argument_errors(error: Exception, kind: Any) -> Iterator[str]:
    """Yield what pydantic found, in words."""
    found = error.errors() if hasattr(error, "errors") else []
    for one in found:
        name = ".".join(map(str, one["loc"]))
        if "extra" in one["type"]:
            close = difflib.get_close_matches(name, kind.__fields__, n=1)
            hint = f", did you mean {close[0]!r}?" if close else ""
            yield f"unknown argument {name!r}{hint}"
        elif "missing" in one["type"]:
            yield f"{name!r} is missing"
        else:
            yield f"{name!r}: {one['msg']}"
    if not found:
        yield str(error)


def _validated(expectation: Any, table: Any) -> Any:
    """Great Expectations' result, without progress bars, statistics of use, and files."""
    import great_expectations
    from great_expectations.data_context import project_manager
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    config = DataContextConfig(
        analytics_enabled=False,
        progress_bars={"globally": False, "metric_calculations": False},
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
    )
    # Eager checks run in the user's process, where a context of the user's own may be the current one.
    before = dict(vars(project_manager))
    try:
        context = great_expectations.get_context(mode="ephemeral", project_config=config)
        asset = context.data_sources.add_pandas("tables").add_dataframe_asset("table")
        whole = asset.add_batch_definition_whole_dataframe("whole")
        return whole.get_batch(batch_parameters={"dataframe": table}).validate(expectation)
    finally:
        vars(project_manager).update(before)


def _reasons(info: Mapping[str, Any]) -> Iterator[str]:
    """Yield why it could not be judged: of the expectation as a whole, or of the values that it needs."""
    parts = [info] if "raised_exception" in info else list(info.values())
    for part in parts:
        if isinstance(part, Mapping) and part.get("raised_exception"):
            yield str(part.get("exception_message"))
