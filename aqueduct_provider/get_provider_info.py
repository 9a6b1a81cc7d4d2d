"""What Airflow reads at start-up: who we are, our connection type with its form, our configuration section.

A static dict that imports nothing, since every Airflow process loads it. The options of the ``[aqueduct]``
section and their defaults stand here and nowhere else; ``config.py`` reads them from here, and
``docs/configuration.md`` is generated from here.
"""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Return the metadata of this provider, after Airflow's ``provider_info.schema.json``."""
    return {
        "package-name": "airflow-provider-aqueduct",
        "name": "Aqueduct",
        "description": "Run ML and data flows, written as plain Python functions, on Apache Airflow.",
        "versions": ["0.1.0"],
        "connection-types": [_CONNECTION_TYPE],
        "extra-links": ["aqueduct_provider.operators.page_links.ArtifactsLink"],
        # For lists of providers: Airflow finds the plugin by its entry point.
        "plugins": [{"name": "aqueduct", "plugin-class": "aqueduct_provider.ui.plugin.AqueductPlugin"}],
        "notifications": ["aqueduct_provider.operators.notifiers.WebhookNotifier"],
        "config": {
            "aqueduct": {
                "description": "How flows of Aqueduct run on this Airflow.",
                "options": _OPTIONS,
            }
        },
    }


def _text_field(label: str, description: str) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": ["string", "null"]}}


# The form of Airflow 3.2 and newer; the hook makes that of older lines from the same labels.
_CONNECTION_TYPE: dict[str, Any] = {
    "connection-type": "aqueduct",
    "hook-class-name": "aqueduct_provider.hooks.aqueduct.AqueductHook",
    "hook-name": "Aqueduct artifact store",
    "conn-fields": {
        "bucket": _text_field("Bucket", "Name of the S3 bucket, or s3://bucket/some/prefix."),
        "region": _text_field("Region", "AWS region of the bucket; empty: that of the profile."),
        "root_dir": _text_field("Root dir", "A further prefix of every object key; may be empty."),
        "credentials_path": _text_field(
            "S3 credentials path",
            "AWS credentials file on the Airflow machines; empty: boto3's own chain of sources.",
        ),
        "credentials_profile": _text_field("S3 credentials profile", "Profile in that file; empty: default."),
        "endpoint_url": _text_field("Endpoint URL", "For S3-compatible stores such as MinIO; empty: AWS."),
    },
    "ui-field-behaviour": {
        "hidden-fields": ["host", "schema", "login", "password", "port"],
        "relabeling": {},
        "placeholders": {
            "bucket": "my-bucket",
            "region": "eu-central-1",
            "root_dir": "aqueduct",
            "credentials_path": "~/.aws/credentials",
            "credentials_profile": "default",
            "endpoint_url": "https://minio.example.com",
        },
    },
}


def _option(kind: str, default: str, example: str | None, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": default,
    }


_OPTIONS: dict[str, dict[str, Any]] = {
    "cache_dir": _option(
        "string",
        "{AIRFLOW_HOME}/aqueduct",
        "/var/cache/aqueduct",
        "Folder of each worker for environments, code archives and mirrored specs. Best on the file system"
        " of uv's cache, so that environments are hard links.",
    ),
    "environments_max_bytes": _option(
        "string",
        "20 GB",
        "500 MB",
        "Disk that cached environments may take; beyond it the ones unused for longest are deleted.",
    ),
    "isolation": _option(
        "string",
        "auto",
        "always",
        "Where operators run. auto: in the worker's own Python when it satisfies every requirement exactly,"
        " else in an environment of their own. always: in an environment of their own. never: in the"
        " worker's own Python.",
    ),
    "sandbox": _option(
        "string",
        "none",
        "bwrap",
        "What keeps operators' code away from the rest of the machine. none: it sees the worker's files and"
        " processes as Airflow's user does. bwrap: it runs under bubblewrap, which must be installed on the"
        " workers (Linux), and sees no other process, no home, no credentials, and no other task's files;"
        " writable are only the job's folder and a private /tmp. Extracts and loads of data systems run"
        " outside of it.",
    ),
    "sandbox_network": _option(
        "string",
        "on",
        "off",
        "Whether operators in a sandbox have the worker's network. on: all of it. off: none of it.",
    ),
    "missing_python": _option(
        "string",
        "fail",
        "download",
        "What happens when the worker lacks an operator's Python version. fail: the task fails and says so."
        " worker: the worker's own version is used. download: uv downloads the version.",
    ),
    "s3_retry_mode": _option(
        "string",
        "standard",
        "adaptive",
        "How failed S3 requests are repeated, in botocore's words. standard: with growing pauses. adaptive:"
        " also slows down when S3 throttles.",
    ),
    "s3_max_attempts": _option(
        "integer",
        "5",
        "10",
        "Tries of one S3 request, the first included, wherever no task runs: in the DAG processor, and in"
        " tests of connections.",
    ),
    "s3_patience": _option(
        "float",
        "120",
        "600",
        "Seconds for which a task keeps trying, with growing pauses, when S3 or Google Cloud Storage does not"
        " answer, throttles or answers with an error that passes. The waiting does not count in an operator's"
        " timeout, and ends within a second when the task is ended.",
    ),
    "s3_connect_timeout": _option("float", "10", "3", "Seconds to wait for a connection to S3."),
    "s3_read_timeout": _option("float", "60", "120", "Seconds to wait for S3 to send the next bytes."),
    "archive_max_bytes": _option(
        "string", "1 GB", "200 MB", "Unpacked size that a function archive may have at most."
    ),
    "archive_max_files": _option(
        "integer", "10000", "500", "Files that a function archive may hold at most."
    ),
    "output_limit_bytes": _option(
        "string",
        "1 MB",
        "100 KB",
        "What is kept of an operator's stdout, and of its stderr, in its exec state. Airflow's task log has"
        " all of both.",
    ),
    "kill_grace": _option(
        "float",
        "2",
        "1",
        "Seconds between the polite and the forced end of a stopped operator. Below 5, after which Airflow"
        " kills the task itself.",
    ),
    "parallel_requests": _option("integer", "10", "4", "S3 requests that one task has under way at once."),
    "child_env_allow": _option(
        "string",
        "",
        "HTTPS_PROXY, NO_PROXY",
        "Environment variables of the worker, by name and separated by commas, that operators see beyond"
        " the few that Python needs.",
    ),
    "pickled_parameters": _option(
        "boolean",
        "True",
        "False",
        "Whether a run may be given pickled values of parameters whose type allows them: such a value runs"
        " code of whoever triggers the run and can write to flows/*/values/ in the bucket. False: such runs"
        " fail; published defaults still work.",
    ),
    "pages": _option(
        "boolean",
        "True",
        "False",
        "Whether Airflow's UI has the pages of flows, runs and artifacts. False: they are not served, and no"
        " tab, link, message or description leads to them. The API server (on 2.11: the webserver) must be"
        " restarted, too.",
    ),
    "notifiers": _option(
        "string",
        "",
        "airflow.providers.discord.notifications.discord.DiscordNotifier discord_conn_id:discord text",
        "Which notifiers of Airflow flows may send messages by, beyond Slack, mails and webhooks: rules CLASS"
        " ARGUMENT:TYPE TEXT, separated by commas. CLASS is a module and a class in it, ARGUMENT its argument"
        " for the id of a connection, TYPE the type that this connection must have, TEXT its argument for the"
        " message. The class runs in the task, with the secrets of that connection.",
    ),
    "queues": _option(
        "string",
        "",
        "gpu: gpu_queue, memory_mb>=16000: large",
        "Which queue the tasks of operators with resources wait in, for executors that have queues, such as"
        " CeleryExecutor: rules NEED: QUEUE, separated by commas. A need is gpu, use_llm, num_cpus>=N or"
        " memory_mb>=N, in MB. The first rule that fits counts; where none does, Airflow's default queue."
        " Airflow learns of a change when it parses the flow again.",
    ),
}
