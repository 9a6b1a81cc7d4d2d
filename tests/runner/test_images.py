from __future__ import annotations

import io
from typing import Any

import numpy
import pytest
from PIL import Image, ImageSequence

from aqueduct_provider.runner.codecs import CodecError, decode, encode
from aqueduct_provider.runner.images import dump_image_file, dump_jpeg, dump_lossless, open_image
from aqueduct_provider.runner.pickles import data_only, dump_pickle


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


def test_the_alpha_of_a_palette_comes_back() -> None:
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 10)).quantize(4)
    for _ in range(2):
        kind, image = stored(image)
        assert kind == "image"
        assert image.convert("RGBA").getpixel((0, 0)) == (255, 0, 0, 10)


@pytest.mark.parametrize(("mode", "kind"), [("L", "image"), ("F", "pickle")])
def test_exif_data_that_was_set_comes_back(mode: str, kind: str) -> None:
    image = Image.new(mode, (2, 2))
    image.getexif()[274] = 6
    made, result = stored(image)
    assert (made, dict(result.getexif())) == (kind, {274: 6})


def test_a_file_whose_notes_were_changed_is_not_untouched() -> None:
    data = file_of(noise("RGB"), "JPEG")
    turned, resized = open_image(data), open_image(data)
    turned.getexif()[274] = 6
    resized.info["dpi"] = (300, 300)
    assert dict(stored(turned)[1].getexif()) == {274: 6}
    assert round(stored(resized)[1].info["dpi"][0]) == 300


@pytest.mark.parametrize("mode", ["RGB", "P", "1"])
def test_an_image_without_pixels_comes_back(mode: str) -> None:
    kind, result = stored(Image.new(mode, (0, 3)))
    assert (kind, result.mode, result.size) == ("pickle", mode, (0, 3))


class Scan(Image.Image):
    """An image of the user's own kind."""


def test_a_class_of_ones_own_comes_back() -> None:
    plain = noise("L")
    scan = Scan()
    scan.__dict__.update(vars(plain))
    kind, result = stored(scan)
    assert (kind, type(result), result.tobytes()) == ("pickle", Scan, plain.tobytes())


@pytest.mark.parametrize("kind", [Scan, Image.Image])
def test_attributes_that_would_be_lost_are_named(kind: Any) -> None:
    image = kind()
    image.__dict__.update(vars(noise("L")))
    image.label = "cat"
    with pytest.raises(CodecError, match=r"attribute 'label'.*next to the image"):
        stored(image)


@pytest.mark.parametrize(
    ("image", "suffix", "name"),
    [
        (Image.new("L", (70_000, 1)), ".jpg", r"mode L, which cannot be written as \.jpg"),
        (Image.new("L", (70_000, 1)), "", "mode L, which cannot be written as JPEG"),
        (Image.new("LA", (1, 1)), ".bmp", r"mode LA, which cannot be written as \.bmp"),
    ],
)
def test_what_a_format_does_not_hold_is_refused(image: Any, suffix: str, name: str) -> None:
    with pytest.raises(CodecError, match=name):
        dump_image_file(image, suffix)


def test_where_only_data_is_read_no_other_program_is_started() -> None:
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n%%EndComments\nshowpage\n"
    assert open_image(postscript).format == "EPS"
    with data_only():
        with pytest.raises(OSError, match="cannot identify image file"):
            open_image(postscript)
        png = encode(Image.new("RGB", (1, 1)), "image", "parquet").data
        assert open_image(png).format == "PNG"
