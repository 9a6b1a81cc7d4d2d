"""Define the protocol between the worker and the child process: two JSON files in the job folder.

In: ``request.json`` (a :class:`JobRequest`), written by the worker before it starts the child, and removed
by the child just before it calls the user's function. The worker keeps it open: nothing can put it back.
Out: ``outcome.json`` (a :class:`JobOutcome`), written by the child as its last act, under a temporary
name that is then renamed: a child that ends without it crashed. Both carry ``version``; a reader refuses
versions that it does not know. Paths in both are relative to the job folder.

What the user's code prints is not part of the protocol: it leaves through the child's stdout and stderr,
which the worker reads line by line. The runner itself prints nothing there.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

VERSION = 1
# How the bytes of artifacts are encoded: what the codecs read and write.
SERIALIZATION_TYPES = frozenset(
    "table parquet bson_table json numpy-scalar pickle string bytes image tensorflow-keras-model".split()
)
REQUEST_FILE = "request.json"
OUTCOME_FILE = "outcome.json"


@dataclass(frozen=True)
class InputFile:
    """A stored artifact that the job reads: content in a file, its types as its metadata names them.

    :param view: for tables: as which library's frame the code takes it; empty: as what it was.
    :param name: how error messages call it; empty: by its number.
    :param maker: the operator that made it, for error messages; empty where that is not known.
    :param data_only: refuse to read what can run code, such as pickled cells of a table.
    """

    path: str
    artifact_type: str
    serialization_type: str
    view: str = ""
    name: str = ""
    maker: str = ""
    data_only: bool = False


@dataclass(frozen=True)
class ExternalFile:
    """A file as a data system holds it, not in an artifact codec (S3 extract).

    :param key: the object's full key, for error messages.
    :param artifact_type: what the file is to be read as.
    :param format: ``CSV``, ``JSON`` or ``Parquet`` for tables, else empty.
    """

    path: str
    key: str
    artifact_type: str
    format: str = ""


@dataclass(frozen=True)
class OutputSlot:
    """The place for one result and the type that it must have (``untyped`` accepts any).

    :param name: how error messages call this output.
    """

    path: str
    expected_type: str = "untyped"
    name: str = ""


@dataclass(frozen=True)
class FunctionCall:
    """The call of the user's code.

    :param code_dir: the archive's top-level folder: working directory and import path of the call.
    :param entry_file: the file in it to import, ``model.py``.
    :param entry_class: the class whose method is called; empty: the method is a module-level function.
    :param entry_method: ``predict``.
    :param custom_args: a JSON object for the class's ``set_args``, called first; empty: not called.
    :param searched_last: search modules in ``code_dir`` after all other places, as the original does: its
        archives hold ``<operator name>.py``, which may have the name of a module of the standard library.
    """

    code_dir: str
    entry_file: str
    entry_class: str
    entry_method: str
    custom_args: str = ""
    searched_last: bool = False


@dataclass(frozen=True)
class JobRequest:
    """One job.

    :param operation: ``function``, ``metric``, ``check`` (these need ``call``); ``param`` (reads the one
        input, types it against the one output); ``extract`` (reads ``files``); ``load`` (writes the last
        input to ``load_path`` in ``load_format``; an image in the format that ``load_suffix`` says).
    :param table_serialization: how tables are written, ``table`` (the original's JSON) or ``parquet``.
    :param merge: for ``extract``: concatenate the files to one table.
    :param as_list: for ``extract``: the files were named by a list or a prefix, so the value is a tuple
        of them (a table when ``merge``); otherwise the single file's value.
    """

    operation: str
    inputs: List[InputFile] = field(default_factory=list)
    outputs: List[OutputSlot] = field(default_factory=list)
    call: Optional[FunctionCall] = None
    files: List[ExternalFile] = field(default_factory=list)
    merge: bool = False
    as_list: bool = False
    load_path: str = ""
    load_format: str = ""
    load_suffix: str = ""
    table_serialization: str = "table"
    version: int = VERSION


@dataclass(frozen=True)
class OutputInfo:
    """The content of one output slot: the facts that become the artifact's metadata.

    :param schema: for tables a list of one-entry objects ``{column: dtype}``, else empty.
    :param encoding: the codec and its version, ``parquet/v3``; stored names never change their meaning.
    :param glance: facts for logs and lists, all optional: ``value`` of a number, boolean or short string,
        ``characters`` of a longer one, ``rows``, ``columns``, ``items``, ``width``, ``height``, ``class``,
        ``format`` of text that is ``html`` or ``markdown``.
    :param preview: what pages show of it, of the ``kind`` table, text, json, repr, image or images.
    """

    path: str
    artifact_type: str
    serialization_type: str
    python_type: str
    encoding: str
    schema: List[Dict[str, str]] = field(default_factory=list)
    glance: Dict[str, Any] = field(default_factory=dict)
    preview: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class Failure:
    """Why a job failed.

    :param kind: ``user`` or ``system``.
    :param tip: one sentence for users.
    :param context: the traceback; for user errors from the user's first frame on, without the runner's.
    :param deterministic: whether the same job would end the same way again.
    :param failed_import: the module, or the path, that could not be imported; empty: it was something else.
    """

    kind: str
    tip: str
    context: str = ""
    deterministic: bool = False
    failed_import: str = ""


@dataclass(frozen=True)
class JobOutcome:
    """The end of a job.

    :param outputs: one per output slot, in order, unless the job failed.
    :param check_passed: for checks, what the check said; its artifact is written either way.
    :param wall_time: seconds that the user's call took.
    :param cpu_time: CPU seconds of the child during the call.
    :param max_memory_mb: peak resident memory of the child, in MB (10**6 bytes).
    """

    outputs: List[OutputInfo] = field(default_factory=list)
    failure: Optional[Failure] = None
    check_passed: Optional[bool] = None
    wall_time: float = 0.0
    cpu_time: float = 0.0
    max_memory_mb: float = 0.0
    version: int = VERSION


def to_json(message: Any) -> str:
    """Return a request or an outcome as JSON text."""
    return json.dumps(dataclasses.asdict(message), ensure_ascii=True)


def request_from_json(text: str) -> JobRequest:
    """Parse the request in ``text``. Raises ``ValueError`` when its version is unknown."""
    data = _checked(text)
    call = data["call"]
    return JobRequest(
        **{
            **data,
            "inputs": [InputFile(**item) for item in data["inputs"]],
            "outputs": [OutputSlot(**item) for item in data["outputs"]],
            "files": [ExternalFile(**item) for item in data["files"]],
            "call": FunctionCall(**call) if call else None,
        }
    )


def outcome_from_json(text: str) -> JobOutcome:
    """Parse the outcome in ``text``. Raises ``ValueError`` when its version is unknown."""
    data = _checked(text)
    failure = data["failure"]
    return JobOutcome(
        **{
            **data,
            "outputs": [OutputInfo(**item) for item in data["outputs"]],
            "failure": Failure(**failure) if failure else None,
        }
    )


def write_outcome(outcome: JobOutcome, folder: str) -> None:
    """Leave the outcome in the job folder, whole or not at all."""
    path = os.path.join(folder, OUTCOME_FILE)
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        file.write(to_json(outcome))
    os.replace(f"{path}.part", path)


def _checked(text: str) -> Dict[str, Any]:
    data: Dict[str, Any] = json.loads(text)
    if data.get("version") != VERSION:
        raise ValueError(f"job protocol version {data.get('version')!r} is not {VERSION}")
    return data
