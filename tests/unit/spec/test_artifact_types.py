"""The artifact types: one class for the SDK and for specs, cheap to import."""

from __future__ import annotations

import subprocess
import sys

from aqueduct_provider.sdk import enums
from aqueduct_provider.spec import models
from aqueduct_provider.spec.artifact_types import ArtifactType


def test_it_is_the_same_for_the_sdk_and_for_specs() -> None:
    assert enums.ArtifactType is models.ArtifactType is ArtifactType


def test_it_needs_no_pydantic() -> None:
    code = "import sys, aqueduct_provider.sdk.enums; print('pydantic' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_the_names_that_the_original_has_for_artifact_types() -> None:
    assert ArtifactType.BOOL is ArtifactType.BOOLEAN
    assert ArtifactType.DICT is ArtifactType.DICTIONARY
    assert ArtifactType.TF_KERAS is ArtifactType.KERAS_MODEL
