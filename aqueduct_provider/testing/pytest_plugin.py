"""The pytest plugin: a client without network, and flows that run here, through the worker's own code.

pytest loads this module in every session where the package is installed: it imports nothing but pytest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aqueduct_provider.sdk.client import Client
    from aqueduct_provider.testing.flow_assertions import FlowUnderTest

# Kept: it is about what is shown.
_DEBUG_VARIABLE = "AQUEDUCT_DEBUG_TRACEBACKS"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("aqueduct", "flows of airflow-provider-aqueduct")
    group.addoption(
        "--aqueduct-isolated",
        action="store_true",
        help="run each operator of a flow in an environment of its requirements, built by uv",
    )
    group.addoption(
        "--aqueduct-update-snapshots",
        action="store_true",
        help="write the snapshots of tables instead of comparing with them",
    )


@pytest.fixture
def aqueduct_client(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """A client with a configuration and a store of its own, in temporary folders, and without network.

    ``publish_flow`` composes and checks the flow, sends it nowhere, and returns what ``assert_flow`` takes.
    Airflow cannot be asked: runs and flows that are looked for are placeholders.
    """
    from aqueduct_provider.sdk.client import Client
    from aqueduct_provider.sdk.publishing.rehearsal import rehearsing
    from aqueduct_provider.testing.flow_assertions import FlowsUnderTest

    for name in [one for one in os.environ if one.startswith("AQUEDUCT_") and one != _DEBUG_VARIABLE]:
        monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("aqueduct")
    configuration = folder / "config.toml"
    configuration.touch(mode=0o600)
    with rehearsing(FlowsUnderTest()):
        yield Client(folder=str(folder / "store"), config_path=configuration)


@pytest.fixture
def assert_flow(request: pytest.FixtureRequest, aqueduct_client: Client) -> Callable[[Any], FlowUnderTest]:
    """Assert what a flow does: ``assert_flow(flow).runs(parameters={"rows": 3}).output("table")``.

    It takes an artifact, a list of them, or what ``publish_flow`` has returned.
    """
    from aqueduct_provider.sdk.own_frames import ends_in_user_code
    from aqueduct_provider.testing.flow_assertions import FlowUnderTest, Snapshots, file_stem

    path = Path(request.path)
    # With its class: methods of two classes may have one name.
    name = file_stem(".".join(filter(None, [request.cls and request.cls.__qualname__, request.node.name])))
    snapshots = Snapshots(
        path.parent / "__snapshots__" / path.stem / name,
        update=request.config.getoption("--aqueduct-update-snapshots"),
    )

    @ends_in_user_code
    def made(flow: Any) -> FlowUnderTest:
        return FlowUnderTest(
            flow,
            name=request.node.name,
            client=aqueduct_client,
            snapshots=snapshots,
            isolated=request.config.getoption("--aqueduct-isolated"),
        )

    return made
