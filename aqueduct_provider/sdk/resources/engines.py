"""Which Airflow is meant: what ``publish_flow`` was given as ``engine`` -> a connected Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError

if TYPE_CHECKING:
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
    from aqueduct_provider.sdk.session import Session


def engine_of(session: Session, engine: str | AirflowResource | None) -> AirflowResource:
    """The Airflow that flows are published to.

    :param engine: a resource, or its name; None: the only one that there is.
    :raises AuthoringError: it is no Airflow, or there are several, or none.
    :raises NotFound: there is no resource of that name.
    """
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource

    if isinstance(engine, str):
        return session.engine(engine)
    if isinstance(engine, AirflowResource):
        # By its name, as it may have been connected again.
        return session.engine(engine.name())
    if engine is not None:
        raise AuthoringError(f"engine is a {type(engine).__name__}: give the name of a connected Airflow.")
    known = session.engines()
    if len(known) != 1:
        names = ", ".join(map(repr, known)) or "none"
        raise AuthoringError(
            f"Say where the flow is to run: engine='<resource>'. Connected: {names}. "
            'client.connect_resource(name, "Airflow", {"host": ...}) connects one.'
        )
    return session.engine(known[0])
