"""Functions -> operators: ``@op``, ``@metric`` and ``@check``, with and without parentheses.

In: a function and what its author says about it. Out: an :class:`Operator`, whose calls record nodes of the
graph. What is wrong is refused at decoration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, cast, overload

from aqueduct_provider.sdk.authoring.calls import Operator as Operator
from aqueduct_provider.sdk.authoring.definitions import CallKind, DecoratorArguments, definition_of
from aqueduct_provider.sdk.authoring.nodes import Severity
from aqueduct_provider.sdk.enums import CheckSeverity
from aqueduct_provider.sdk.keywords import RunOptions, suggest_keywords
from aqueduct_provider.sdk.notify import Receivers
from aqueduct_provider.sdk.own_frames import ends_in_user_code

if TYPE_CHECKING:
    from typing_extensions import Unpack

Requirements = str | Path | Sequence[str] | None
Decorator = Callable[[Callable[..., Any]], Operator]
Arguments = ParamSpec("Arguments")


class _OperatorDecorator(Protocol[Arguments]):
    """A decorator that is used with or without parentheses."""

    @overload
    def __call__(self, function: Callable[..., Any], /) -> Operator: ...
    @overload
    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Decorator: ...


def _also_without_parentheses(decorator: Callable[Arguments, Decorator]) -> _OperatorDecorator[Arguments]:
    """Declare that the decorator also takes the function itself, in place of its name."""
    return cast("_OperatorDecorator[Arguments]", suggest_keywords(decorator))


@_also_without_parentheses
def op(
    name: str | None = None,
    description: str | None = None,
    engine: None = None,
    file_dependencies: Sequence[str] | None = None,
    requirements: Requirements = None,
    num_outputs: int | None = None,
    outputs: Sequence[str] | None = None,
    resources: Mapping[str, Any] | None = None,
    image: None = None,
    **how: Unpack[RunOptions],
) -> Decorator:
    """Make a function an operator: any inputs, any outputs.

    :param name: what users call the operator; None: the function's name.
    :param description: Markdown, shown in Airflow; None: the function's docstring.
    :param engine: only None: the engine of a flow is named in ``publish_flow``.
    :param file_dependencies: paths of files and modules that the function needs, relative to its own file.
    :param requirements: pip requirements, or the path of a file of them; None: the ``requirements.txt``
        next to the function's file.
    :param num_outputs: how many values the function returns.
    :param outputs: their names; None: each is called ``<name> artifact``.
    :param resources: ``num_cpus``, ``memory`` (MB, or ``"2GB"``), ``gpu_resource_name``, ``cuda_version``.
    :param image: only None: operators run in environments that are built from their requirements.
    :param retries: tries after the first, 0 to 100.
    :param retry_delay: seconds between two tries, or a timedelta.
    :param timeout: seconds after which a try is ended, or a timedelta.
    :param pool: Airflow pool.
    :param fuse: operators with the same name here run one after the other in one Airflow task of that name.
    :raises AuthoringError: an argument cannot be used, or the function cannot be an operator.

    ::

        @aq.op(requirements=["pandas==2.2.3"], outputs=["train", "test"])
        def split(table, share=0.8):
            border = int(len(table) * share)
            return table[:border], table[border:]
    """
    return _decorated("function", **locals())


@_also_without_parentheses
def metric(
    name: str | None = None,
    description: str | None = None,
    file_dependencies: Sequence[str] | None = None,
    requirements: Requirements = None,
    output: str | None = None,
    engine: None = None,
    resources: Mapping[str, Any] | None = None,
    image: None = None,
    *,
    outputs: Sequence[str] | None = None,
    **how: Unpack[RunOptions],
) -> Decorator:
    """Make a function a metric: it returns a number.

    Its output feeds metrics and checks. Arguments that are not listed are those of :func:`op`.

    :param output: name of the number; None: ``<name> artifact``.
    :param outputs: the same, as a list of one name.
    :raises AuthoringError: an argument cannot be used, or the function cannot be an operator.

    ::

        @aq.metric(requirements=["pandas==2.2.3"])
        def average_churn(table):
            return table["churn"].mean()
    """
    return _decorated("metric", **locals())


@_also_without_parentheses
def check(
    name: str | None = None,
    description: str | None = None,
    severity: CheckSeverity | Severity = CheckSeverity.WARNING,
    file_dependencies: Sequence[str] | None = None,
    requirements: Requirements = None,
    output: str | None = None,
    engine: None = None,
    resources: Mapping[str, Any] | None = None,
    image: None = None,
    *,
    outputs: Sequence[str] | None = None,
    on_warning: Receivers = None,
    on_failure: Receivers = None,
    on_recovery: Receivers = None,
    **how: Unpack[RunOptions],
) -> Decorator:
    """Make a function a check: it returns whether the check passed.

    Its output feeds nothing. Arguments that are not listed are those of :func:`op`.

    :param severity: what a failed check does: ``"warning"`` is recorded, ``"error"`` fails the flow.
    :param output: name of the result; None: ``<name> artifact``.
    :param outputs: the same, as a list of one name.
    :param on_warning: who is notified when it does not pass any more, of severity ``warning``: what
        ``aq.notify.slack("ops")`` and its like return, one or a list, beyond those of ``publish_flow``.
    :param on_failure: the same, of severity ``error``, or when it could not be computed.
    :param on_recovery: who is notified when it passes again.
    :raises AuthoringError: an argument cannot be used, or the function cannot be an operator.

    ::

        @aq.check(requirements=[], severity="error")
        def churn_is_low(average_churn):
            return average_churn < 0.1
    """
    return _decorated("check", **locals())


@suggest_keywords
def to_operator(
    func: Callable[..., Any],
    name: str | None = None,
    description: str | None = None,
    file_dependencies: Sequence[str] | None = None,
    requirements: Requirements = None,
) -> Operator:
    """Make any callable an operator, where it is not defined: a lambda, a partial, a function of a library.

    :param func: the callable.
    :param name: what users call the operator; None: the function's name.
    :param description: Markdown, shown in Airflow; None: the function's docstring.
    :param file_dependencies: see :func:`op`.
    :param requirements: see :func:`op`.
    :raises AuthoringError: an argument cannot be used, or the function cannot be an operator.

    ::

        scale = aq.to_operator(lambda table: table / 10, name="scale", requirements=["pandas==2.2.3"])
    """
    arguments = DecoratorArguments(
        kind="function",
        in_class=True,
        description=description,
        file_dependencies=file_dependencies,
        requirements=requirements,
    )
    return Operator(definition_of(func, name, arguments))


def _decorated(kind: CallKind, *, name: Any, **given: Any) -> Decorator:
    """Return the decorator that was called with these arguments."""
    arguments = DecoratorArguments(kind=kind, **given)
    # Without parentheses, the first argument is the function itself.
    if callable(name):
        return Operator(definition_of(name, None, arguments))
    return ends_in_user_code(lambda function: Operator(definition_of(function, name, arguments)))
