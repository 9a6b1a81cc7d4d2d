from __future__ import annotations

import io
from typing import Any

import numpy
import pytest
from PIL import Image, ImageSequence

from aqueduct_provider.runner.codecs import CodecError, decode, encode
from aqueduct_provider.runner.images import dump_jpeg, dump_lossless, open_image
from aqueduct_provider.runner.pickles import dump_pickle


def noise(mode: str) -> Any:
    """An image of which every pixel differs from its neighbours: what JPEG cannot keep."""
    pixels = numpy.random.default_rng(0).integers(0, 255, (16, 16, 4), dtype="uint8")
    image = Image.fromarray(pixels, "RGBA") if mode == "RGBA" else Image.fromarray(pixels[..., 0])
    return (
        image.convert("RGB").convert(mode) if mode not in ("RGBA", "L", "I;16", "F") else image.convert(mode)
    )


def stored(image: Any) -> tuple[str, Any]:
    encoded = encode(image, "image", "parquet")
    return encoded.serialization_type, decode(encoded.data, encoded.serialization_type, "image")


def file_of(image: Any, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F", "CMYK", "YCbCr", "HSV", "LAB"]
)
def test_every_pixel_of_every_mode_comes_back(mode: str) -> None:
    image = noise(mode)
    kind, result = stored(image)
    assert (result.mode, result.size, result.tobytes()) == (mode, image.size, image.tobytes())
    assert kind == ("image" if mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else "pickle")


def test_a_label_mask_keeps_its_labels() -> None:
    mask = Image.fromarray(numpy.arange(256, dtype="uint8").reshape(16, 16))
    _, result = stored(mask)
    assert numpy.array_equal(numpy.asarray(result), numpy.asarray(mask))


def test_a_palette_and_its_transparency_come_back() -> None:
    image = noise("P")
    image.info["transparency"] = 3
    _, result = stored(image)
    assert result.getpalette() == image.getpalette()
    assert result.info["transparency"] == 3


def test_what_a_file_says_of_itself_comes_back() -> None:
    image = noise("RGB")
    image.info["dpi"] = (300, 300)
    _, result = stored(image)
    assert [round(value) for value in result.info["dpi"]] == [300, 300]


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 50}), ("PNG", {}), ("TIFF", {})])
def test_a_file_that_was_opened_and_not_touched_stays_as_it_is(kind: str, options: dict[str, Any]) -> None:
    data = file_of(noise("RGB"), kind, **options)
    assert dump_lossless(open_image(data), dump_pickle) == ("image", data)


def test_a_file_that_was_changed_is_written_as_it_is_now() -> None:
    image = open_image(file_of(noise("RGB"), "JPEG"))
    image.putpixel((0, 0), (1, 2, 3))
    _, result = stored(image)
    assert result.getpixel((0, 0)) == (1, 2, 3)


def test_a_file_that_is_read_at_half_its_size_is_not_taken_for_the_whole() -> None:
    image = open_image(file_of(noise("RGB").resize((64, 64)), "JPEG"))
    image.draft("RGB", (32, 32))
    _, result = stored(image)
    assert result.size == image.size


def test_frames_are_not_dropped_in_silence() -> None:
    data = file_of(noise("L"), "GIF", save_all=True, append_images=[noise("L").rotate(90)])
    assert stored(open_image(data))[1].n_frames == 2
    touched = open_image(data)
    touched.load()
    with pytest.raises(CodecError, match=r"image of 2 frames.*image\.copy\(\)"):
        stored(touched)
    assert stored(touched.copy())[1].size == touched.size
    frames = [frame.copy() for frame in ImageSequence.Iterator(touched)]
    encoded = encode(frames, "list", "parquet")
    assert len(decode(encoded.data, encoded.serialization_type, "list")) == 2


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA", "I", "L", "CMYK"])
def test_the_original_gets_jpeg_of_every_mode(mode: str) -> None:
    assert open_image(dump_jpeg(Image.new(mode, (3, 2)))).format == "JPEG"
