"""The URIs of Airflow's assets: which ones can be waited for, and which ones a flow updates (pure).

In: a URI, or a spec of either dialect. Out: problems at their JSON paths, or URIs that follow from the spec
alone and hold no secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.uris import HOST
from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.graph import Locate
from aqueduct_provider.spec.models import ConnectionStore, LoadOperator, S3ArtifactStore, WorkflowSpec
from aqueduct_provider.spec.system_operators import GcsLoad, MongoLoad, S3Load

# Airflow 3 also makes the URI the asset's name, which has at most as many characters.
MAX_LENGTH = 1500
# Airflow 3 keeps these for itself (airflow/sdk/definitions/asset).
_RESERVED_NAMES = ("self", "context")
# Characters that a key may hold unquoted: none that would end the path.
_SAFE_IN_KEYS = "/=:+,@"


def flow_asset(name: str) -> str:
    """Return the asset that a flow updates when it succeeds; its name is the URI's host, without a path."""
    return f"aqueduct://{quote(name, safe='')}"


# --- what a flow may wait for


def asset_problems(uris: Sequence[str], spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    """Return what is wrong with the assets of a schedule."""
    own = {_comparable(uri) for uri in _updated_by(spec)}
    for place, uri in enumerate(uris):
        message = uri_problem(uri)
        if not message and _comparable(uri) in own:
            message = "this flow updates it, and would start itself again and again; name another"
        if message:
            yield Problem(at("schedule", "assets", place), message)


def uri_problem(uri: str) -> str:
    """Return why Airflow 3 or 2.11 cannot wait for this asset, or empty text. Repeats nothing of the URI."""
    if not uri.strip() or uri != uri.strip():
        return "begins or ends with spaces, or is empty; give a URI such as s3://bucket/sales.parquet"
    if not (uri.isascii() and uri.isprintable()):
        return "has characters beyond ASCII, or invisible ones; percent-encode them: urllib.parse.quote(...)"
    if len(uri) > MAX_LENGTH:
        return f"has more than {MAX_LENGTH} characters, Airflow's limit; give a shorter one"
    if uri in _RESERVED_NAMES:
        return "a name that Airflow keeps for itself; give another"
    return _parts_problem(uri)


def _parts_problem(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "no URI: its host cannot be read; write it as s3://bucket/sales.parquet"
    if parts.scheme == "airflow":
        return "Airflow keeps the scheme airflow:// for itself; give another"
    if "@" in parts.netloc:
        return "holds a user or a password, which all who see the DAG can read; remove all up to the @"
    if "://" in uri and not parts.netloc and parts.scheme != "file":
        return "names nothing after ://; write it as s3://bucket/sales.parquet"
    return ""


def _updated_by(spec: WorkflowSpec) -> Iterator[str]:
    yield flow_asset(spec.flow.name)
    for operator in spec.operators:
        if isinstance(operator, LoadOperator) and (uri := saved_asset(spec, operator)):
            yield uri


def _comparable(uri: str) -> str:
    """Return a URI as Airflow compares it: without case of the scheme, slashes at the end, and fragment."""
    scheme, mark, rest = uri.partition("://")
    return f"{scheme.lower()}{mark}{rest.partition('#')[0].rstrip('/')}" if mark else uri


# --- what a load updates


def saved_asset(spec: WorkflowSpec, operator: LoadOperator) -> str | None:
    """Return the asset of the table, collection or file that a load writes.

    ``s3://bucket/key`` or ``gs://bucket/key`` where the spec names the bucket; the form of Airflow's
    providers, such as ``postgres://host:port/database/schema/table``, where it names the server (compiled
    specs); ``aqueduct-data://<connection id>/<key, table or collection>`` where it names a connection.

    :return: None where the name is only known in a run, or the spec does not say where it is.
    """
    connectors = spec.compiled.connectors if spec.compiled else {}
    config, target = connectors.get(operator.id), operator.target
    if isinstance(target, S3Load | GcsLoad):
        # Further inputs fill in the path.
        uri = _file(spec, target, config) if len(operator.inputs) == 1 else None
    elif config is not None:
        uri = (
            None
            if isinstance(target, MongoLoad)
            else registry.get(target.connector).table_uri(config, target.table)
        )
    else:
        name = target.collection if isinstance(target, MongoLoad) else target.table
        uri = name and _in_connection(target.connection_id, quote(name, safe=""))
    # A host or a table may be called as its password is.
    return uri if uri and len(uri) <= MAX_LENGTH and spec.redact(uri) == uri else None


def _in_connection(connection_id: str, path: str) -> str:
    return f"aqueduct-data://{quote(connection_id, safe='')}/{path}"


def _file(spec: WorkflowSpec, target: S3Load | GcsLoad, config: Mapping[str, Any] | None) -> str | None:
    scheme = "gs" if target.connector == "GCS" else "s3"
    key, store = target.filepath, spec.artifact_store
    if config is not None:
        return _in_bucket(scheme, config.get("bucket"), config.get("root_dir"), key)
    connection_id = target.connection_id
    if connection_id is None and isinstance(store, S3ArtifactStore):
        return _in_bucket(scheme, store.bucket, store.root_dir, key)
    if connection_id is None and isinstance(store, ConnectionStore):
        connection_id = store.connection_id
    return connection_id and _in_connection(connection_id, quote(key, safe=_SAFE_IN_KEYS))


def _in_bucket(scheme: str, bucket: Any, root_dir: Any, key: str) -> str | None:
    """Take bucket and prefix apart as ``storage/layout.py`` does."""
    name, _, inner = str(bucket).removeprefix("s3://").removeprefix("gs://").partition("/")
    if not HOST.fullmatch(name):
        return None
    prefix = "".join(f"{part}/" for part in (inner.strip("/"), str(root_dir or "").strip("/")) if part)
    return f"{scheme}://{name}/{quote(prefix + key, safe=_SAFE_IN_KEYS)}"
