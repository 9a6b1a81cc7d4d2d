"""Published flows with runs, and how a command is run on them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

import aqueduct_provider.sdk as aq
from aqueduct_provider.cli import main
from tests.support.deployment import Deployment


@aq.op(requirements=["pillow"], outputs=["picture"])
def draw(width: int) -> Any:
    from PIL import Image

    return Image.new("RGB", (width, 2), "red")


@aq.op(requirements=[], outputs=["raw", "greeting", "things", "model"], num_outputs=4)
def kinds(width: int) -> Any:
    return b"\x00raw", "good day", {"a": [1, None], "width": width}, {1, 2}


@dataclass
class Place:
    """A deployment, and the options with which the command line uses it.

    :param runs: ids of runs: of ``churn`` one that succeeded and one that failed; of ``kinds`` one.
    """

    made: Deployment
    options: list[str]
    runs: dict[str, str]

    def main(self, *arguments: str) -> int:
        """Run a command; its exit code."""
        return main([*arguments, *self.options])


def jpeg_size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        size: tuple[int, int] = image.size
    return size
