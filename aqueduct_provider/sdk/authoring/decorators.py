"""Functions -> operators: ``@op``, ``@metric`` and ``@check``, with and without parentheses.

In: a function and what its author says about it. Out: an :class:`Operator`, whose calls record nodes of the
graph. What is wrong is refused at decoration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from aqueduct_provider.sdk.authoring.calls import Operator as Operator
from aqueduct_provider.sdk.authoring.decorator_types import (
    CheckDecorator,
    MetricDecorator,
    OpDecorator,
    Options,
)
from aqueduct_provider.sdk.authoring.definitions import CallKind, DecoratorArguments, definition_of
from aqueduct_provider.sdk.authoring.nodes import Severity
from aqueduct_provider.sdk.authoring.requirements import Requirements
from aqueduct_provider.sdk.authoring.value_types import AnyValue, Arguments
from aqueduct_provider.sdk.enums import CheckSeverity
from aqueduct_provider.sdk.keywords import RunOptions, suggest_keywords
from aqueduct_provider.sdk.notify import Receivers
from aqueduct_provider.sdk.own_frames import ends_in_user_code

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from aqueduct_provider.sdk.authoring.artifacts import Artifact

AnyOperator: TypeAlias = Operator[..., Any, Any]
AnyDecorator: TypeAlias = Callable[[Callable[..., Any]], AnyOperator]


def _op_decorator(decorator: Callable[Options, AnyDecorator]) -> OpDecorator[Options]:
    """Declare that it also takes the function itself, in place of its name, and what it then returns."""
    return cast("OpDecorator[Options]", suggest_keywords(decorator))


def _metric_decorator(decorator: Callable[Options, AnyDecorator]) -> MetricDecorator[Options]:
    return cast("MetricDecorator[Options]", suggest_keywords(decorator))


def _check_decorator(decorator: Callable[Options, AnyDecorator]) -> CheckDecorator[Options]:
    return cast("CheckDecorator[Options]", suggest_keywords(decorator))


@_op_decorator
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
) -> AnyDecorator:
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


@_metric_decorator
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
) -> AnyDecorator:
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


@_check_decorator
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
) -> AnyDecorator:
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
    func: Callable[Arguments, AnyValue],
    name: str | None = None,
    description: str | None = None,
    file_dependencies: Sequence[str] | None = None,
    requirements: Requirements = None,
) -> Operator[Arguments, AnyValue, Artifact[AnyValue]]:
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


def _decorated(kind: CallKind, *, name: Any, **given: Any) -> AnyDecorator:
    """Return the decorator that was called with these arguments."""
    arguments = DecoratorArguments(kind=kind, **given)

    def decorate(function: Callable[..., Any]) -> AnyOperator:
        return Operator(definition_of(function, None if callable(name) else name, arguments))

    # Without parentheses, the first argument is the function itself.
    return decorate(name) if callable(name) else ends_in_user_code(decorate)
