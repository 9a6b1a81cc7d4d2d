"""A Python function as a function archive (Aqueduct formats, section 3)."""

from __future__ import annotations

import inspect
import io
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# What the worker imports: a class that loads the pickled function from its own folder.
_MODEL = """\
import cloudpickle


class Function:
    def __init__(self):
        with open("./model.pkl", "rb") as file:
            self.function = cloudpickle.load(file)

    def predict(self, *inputs):
        return self.function(*inputs)
"""


def function_archive(function: Callable[..., Any], requirements: Sequence[str] = ()) -> bytes:
    """The archive of a function: the same bytes for the same function and requirements.

    :param requirements: what the function imports, as pip has it; cloudpickle is added.
    """
    import cloudpickle

    with _pickled_by_value(function):
        pickled = cloudpickle.dumps(function)
    lines = [*requirements, f"cloudpickle=={cloudpickle.__version__}", ""]
    files = {
        "model.py": _MODEL.encode(),
        "model.pkl": pickled,
        "requirements.txt": "\n".join(lines).encode(),
        "python_version.txt": PYTHON_VERSION.encode(),
        f"{function.__name__}.py": inspect.getsource(function).encode(),
    }
    return _zipped("function", files)


@contextmanager
def _pickled_by_value(function: Callable[..., Any]) -> Iterator[None]:
    """The worker does not have the function's module, so the pickle must hold what is used of it."""
    import cloudpickle

    module = sys.modules[function.__module__]
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _zipped(folder: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            # ZipInfo's own date, 1980, keeps the bytes the same from day to day.
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), data)
    return buffer.getvalue()
