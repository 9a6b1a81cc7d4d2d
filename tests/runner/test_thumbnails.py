from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aqueduct_provider.artifacts.glance import clean
from aqueduct_provider.runner.describe_output import describe_output
from aqueduct_provider.runner.thumbnails import thumbnails


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "HSV"])
def test_images_of_every_mode_become_small_and_stay_as_they_are(mode: str) -> None:
    image = Image.new(mode, (400, 100))
    found = thumbnails([image])
    assert found is not None
    (small,) = found["images"]
    assert (small["width"], small["height"]) == (400, 100)
    assert opened(small["jpeg"]).size == (96, 24)
    assert (image.mode, image.size) == (mode, (400, 100))


def test_colours_are_kept_and_what_is_transparent_is_white() -> None:
    found = thumbnails((Image.new("RGB", (8, 8), "red"), Image.new("RGBA", (8, 8), (0, 0, 0, 0))))
    assert found is not None
    red, white = (opened(one["jpeg"]).getpixel((4, 4)) for one in found["images"])
    assert red[0] > 240  # type: ignore[index]
    assert max(red[1:]) < 15  # type: ignore[index]
    assert white == (255, 255, 255)


def test_the_first_of_many_are_shown() -> None:
    found = thumbnails([Image.new("L", (4, 4))] * 30)
    assert found is not None
    assert (found["count"], len(found["images"])) == (30, 12)


@pytest.mark.parametrize(
    "values", [[], (), [1], [Image.new("L", (1, 1)), "x"], ["x", Image.new("L", (1, 1))]]
)
def test_other_lists_have_none(values: Any) -> None:
    assert thumbnails(values) is None


def test_the_largest_are_not_scaled() -> None:
    large = Image.new("1", (10_000, 10_000))
    assert thumbnails([large]) is None
    found = thumbnails([Image.new("L", (4, 4)), large])
    assert found is not None
    assert len(found["images"]) == 1


def test_a_list_of_images_is_described_and_fits_the_metadata(tmp_path: Path) -> None:
    path = tmp_path / "content"
    path.write_bytes(b"x")
    # Noise is the largest that there is.
    noise = [Image.effect_noise((300, 300), 100).convert("RGB") for _ in range(12)]
    glance, preview = describe_output(noise, "list", str(path), previews=True)
    assert glance == {"items": 12}
    _, kept = clean("pictures", glance, preview, str)
    assert kept is not None
    assert kept["kind"] == "images"
    assert 6 <= len(kept["images"]) <= 12
