from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from aqueduct_provider.runner.codec_error import CodeRefused
from aqueduct_provider.runner.codecs import decode, encode, infer_type
from aqueduct_provider.runner.keras_models import read_keras
from aqueduct_provider.runner.pickles import data_only

KERAS = """
import pickle

__version__ = {version!r}


class Model:
    def __init__(self, weights):
        self.weights = weights

    def __reduce__(self):
        raise TypeError("cannot pickle a model")

    def save(self, path):
        assert path.endswith({suffix!r}), path
        with open(path, "wb") as file:
            file.write({magic!r} + pickle.dumps(self.weights))


class models:
    @staticmethod
    def load_model(path):
        assert path.endswith({suffix!r}), path
        with open(path, "rb") as file:
            return Model(pickle.loads(file.read()[2:]))
"""


@pytest.mark.parametrize(
    ("version", "suffix", "magic"), [("3.1", ".keras", b"PK"), ("2.15", ".h5", b"\x89H")]
)
def test_a_model_that_cannot_be_pickled_is_saved_by_keras(
    version: str, suffix: str, magic: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Keras itself is too large for a test's environment; this stands for what it does with files.
    (tmp_path / "keras.py").write_text(KERAS.format(version=version, suffix=suffix, magic=magic))
    spec = importlib.util.spec_from_file_location("keras", tmp_path / "keras.py")
    assert spec is not None
    assert spec.loader is not None
    keras = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "keras", keras)
    spec.loader.exec_module(keras)
    model = keras.Model([1.5])
    assert infer_type(model) == "tensorflow-keras-model"
    encoded = encode(model, "tensorflow-keras-model")
    assert encoded.serialization_type == "tensorflow-keras-model"
    loaded = decode(encoded.data, "tensorflow-keras-model", "tensorflow-keras-model")
    assert loaded.weights == [1.5]


def test_a_model_without_keras_names_what_is_missing() -> None:
    with pytest.raises(ImportError, match="keras"):
        decode(b"PK", "tensorflow-keras-model", "tensorflow-keras-model")


def test_a_model_is_not_read_where_only_data_is() -> None:
    with data_only(), pytest.raises(CodeRefused, match="holds a Keras model, which can run code"):
        read_keras(b"PK")
