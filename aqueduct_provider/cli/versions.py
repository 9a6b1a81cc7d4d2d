"""The versions of a flow: listed, compared, put back."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from aqueduct_provider.cli.command import Subcommand
from aqueduct_provider.cli.shared_options import (
    add_flow,
    add_json,
    add_store,
    add_trust_of_versions,
    client_of,
    positive,
    print_json,
)
from aqueduct_provider.errors import NotFound

if TYPE_CHECKING:
    from aqueduct_provider.sdk.flow import Flow
    from aqueduct_provider.sdk.run import Run
    from aqueduct_provider.sdk.versions.version import Version

_VERSION = "number, 12 or v12; id, or 8 or more characters of it; or latest"
_LIMIT = 50


def _versions_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--limit", metavar="N", type=positive, default=_LIMIT, help=f"how many at most; {_LIMIT}"
    )


def _versions(chosen: Namespace) -> int:
    found = client_of(chosen).flow(chosen.flow).versions(chosen.limit)
    if chosen.json:
        print_json([_document(one) for one in found])
        return 0
    from aqueduct_provider.sdk.console import console
    from aqueduct_provider.sdk.display.version_tables import versions_table

    console().print(versions_table(found))
    return 0


def _document(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "version_id": version.id,
        "version": str(version),
        "created_at": version.created_at,
        "published_by": version.published_by,
        "message": version.message,
        "git": version.git and version.git.model_dump(),
        "restores": version.restores,
        "changes": version.changes,
    }


def _diff_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("before", metavar="A", help=f"a version ({_VERSION}), or the id of a run")
    parser.add_argument("after", metavar="B", nargs="?", default="latest", help="the same; latest")


def _diff(chosen: Namespace) -> int:
    flow = client_of(chosen).flow(chosen.flow)
    diff = flow.diff(_side(flow, chosen.before), _side(flow, chosen.after))
    print_json(diff.to_json()) if chosen.json else diff.describe()
    return 0


def _side(flow: Flow, text: str) -> str | Run:
    from aqueduct_provider.sdk.versions.finding import is_version_name

    if is_version_name(text):
        return text
    try:
        return flow.fetch(text)
    except NotFound as error:
        raise NotFound(
            f"{text!r} is neither a version nor a run of {flow.name()!r}. A version is a {_VERSION}. "
            "`aqueduct-airflow versions` and `aqueduct-airflow runs` list both."
        ) from error


def _rollback_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("version", metavar="VERSION", help=f"{_VERSION}; or the id of a run")
    parser.add_argument("-m", "--message", metavar="TEXT", default="", help="why; `versions` shows it")
    add_trust_of_versions(parser)


def _rollback(chosen: Namespace) -> int:
    client = client_of(chosen)
    flow = client.flow(chosen.flow)
    before = flow.version()
    flow = client.rollback(
        flow,
        _side(flow, chosen.version),
        chosen.message,
        progress=not chosen.json,
        trust_store=chosen.trust_store,
    )
    if chosen.json:
        print_json(
            {
                "flow": flow.name(),
                **_document(flow.version()),
                "delivered_to": flow.record.delivered_to,
                "diff": flow.diff(before).to_json(),
            }
        )
    return 0


SUBCOMMANDS = {
    "versions": Subcommand(_versions, (add_flow, _versions_arguments, add_json, add_store)),
    "diff": Subcommand(_diff, (add_flow, _diff_arguments, add_json, add_store)),
    "rollback": Subcommand(_rollback, (add_flow, _rollback_arguments, add_json, add_store)),
}
