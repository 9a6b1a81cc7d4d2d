"""Store Keras models that cannot be pickled as the bytes of the file that Keras writes."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

from .pickles import check_may_run_code


def dump_keras(model: Any) -> bytes:
    """Return a model as the file that Keras saves it to."""
    # Keras 3 writes its own format only; the original reads HDF5, which Keras 2 writes.
    version = getattr(sys.modules.get("keras"), "__version__", "2")
    name = "model.h5" if version.startswith("2") else "model.keras"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        model.save(path)
        with open(path, "rb") as file:
            return file.read()


def read_keras(data: bytes) -> Any:
    """Return the model in the bytes of such a file. Raises ``CodeRefused`` where only data may be read."""
    check_may_run_code("a Keras model")
    try:
        from tensorflow import keras
    except ImportError:
        import keras
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras" if data.startswith(b"PK") else "model.h5")
        with open(path, "wb") as file:
            file.write(data)
        return keras.models.load_model(path)
