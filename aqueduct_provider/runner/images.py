"""PIL images <-> bytes: lossless in native flows, JPEG where the original must read them."""

from __future__ import annotations

import io
from typing import Any, Dict, Tuple

from .codec_error import CodecError
from .pickles import Pickler

# What JPEG can hold; everything else becomes RGB.
_JPEG_MODES = ("1", "L", "RGB", "CMYK", "YCbCr")
# What PNG can hold as it is.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
# What the writer of PNG files takes of ``image.info``.
_PNG_INFO = ("dpi", "exif", "icc_profile", "transparency")


def dump_jpeg(image: Any) -> bytes:
    """A PIL image as JPEG, which knows neither transparency nor palettes, and changes pixels."""
    return _saved(image if image.mode in _JPEG_MODES else image.convert("RGB"), "JPEG", {})


def dump_image_file(image: Any, suffix: str) -> bytes:
    """An image as a file of a name with this suffix: ``.png``, ``.tiff``; PNG where it says no format.

    :param suffix: empty: JPEG, as the original writes all images.
    :raises CodecError: the format does not hold images of this mode.
    """
    from PIL import Image

    kind = Image.registered_extensions().get(suffix.lower(), "PNG") if suffix else "JPEG"
    if kind == "JPEG":
        return dump_jpeg(image)
    try:
        return _saved(image, kind, {})
    except (OSError, KeyError, ValueError) as exc:
        raise CodecError(
            f"is an image of mode {image.mode}, which cannot be written as {suffix}: {exc}. Convert it, or "
            "name the file .png or .tiff"
        ) from exc


def dump_lossless(image: Any, pickler: Pickler) -> Tuple[str, bytes]:
    """The serialization type and the bytes of an image, with every pixel, its mode and its alpha.

    An image file that was opened and not touched stays the file that it was. PNG holds the common modes; an
    image that it cannot hold is pickled.

    :raises CodecError: it has several frames, of which only one would be kept.
    """
    untouched = _untouched_file(image)
    if untouched:
        return "image", untouched
    if getattr(image, "n_frames", 1) > 1:
        raise CodecError(
            f"is an image of {image.n_frames} frames, and an image artifact holds one: return image.copy() "
            "for the current frame, a list of frames (PIL.ImageSequence.Iterator), or the bytes of the file"
        )
    if image.mode in _PNG_MODES:
        data = _saved(image, "PNG", {name: image.info[name] for name in _PNG_INFO if name in image.info})
        if _facts(open_image(data)) == _facts(image):
            return "image", data
    return "pickle", pickler(_plain(image))


def open_image(data: bytes) -> Any:
    """The image in the bytes of a JPEG, PNG or other image file."""
    from PIL import Image

    return Image.open(io.BytesIO(data))


def _saved(image: Any, kind: str, options: Dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def _untouched_file(image: Any) -> bytes:
    """The bytes of a file that was opened and whose pixels were not asked for yet; else nothing."""
    file = getattr(image, "fp", None)
    if file is None or not getattr(image, "tile", None) or image.tell():
        return b""
    position = file.tell()
    file.seek(0)
    data: bytes = file.read()
    file.seek(position)
    opened = open_image(data)
    # ``draft`` changes both before anything is read.
    return data if (opened.mode, opened.size) == (image.mode, image.size) else b""


def _facts(image: Any) -> Tuple[Any, ...]:
    image.load()
    palette = image.palette and (image.palette.mode, bytes(image.palette.palette))
    transparency = image.info.get("transparency")
    return image.mode, image.size, image.tobytes(), palette, transparency


def _plain(image: Any) -> Any:
    """An image without the file that it was opened from."""
    image.load()
    return image.copy()
