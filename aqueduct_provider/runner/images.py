"""Encode PIL images: lossless in native flows, JPEG where the original must read them."""

from __future__ import annotations

import io
from typing import Any, Dict, Tuple

from .codec_error import CodecError
from .pickles import Pickler, is_data_only, unpickle

# What JPEG can hold; everything else becomes RGB.
_JPEG_MODES = ("1", "L", "RGB", "CMYK", "YCbCr")
# What PNG can hold as it is.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
# What PIL itself sets on an image when it is saved or shown.
_PIL_ATTRIBUTES = ("encoderinfo", "encoderconfig", "readonly", "pyaccess", "category")
# Formats that PIL reads by itself: for others, such as EPS, it starts another program.
_PLAIN_FORMATS = "AVIF BMP DIB GIF ICO JPEG JPEG2000 MPO PNG PPM TGA TIFF WEBP".split()
# What the writer of PNG files takes of ``image.info``.
_PNG_INFO = ("dpi", "exif", "icc_profile", "transparency")


def dump_jpeg(image: Any) -> bytes:
    """Return a PIL image as JPEG, which supports neither transparency nor palettes and changes pixels."""
    return _saved(image if image.mode in _JPEG_MODES else image.convert("RGB"), "JPEG", {})


def dump_image_file(image: Any, suffix: str) -> bytes:
    """Return an image in the format of this suffix, such as ``.png``; PNG for unknown ones.

    :param suffix: empty: JPEG, as the original writes all images.
    :raises CodecError: the format does not hold images of this mode.
    """
    from PIL import Image

    kind = Image.registered_extensions().get(suffix.lower(), "PNG") if suffix else "JPEG"
    try:
        return dump_jpeg(image) if kind == "JPEG" else _saved(image, kind, {})
    except (OSError, KeyError, ValueError) as exc:
        raise CodecError(
            f"is an image of mode {image.mode}, which cannot be written as {suffix or kind}: {exc}. Convert "
            "it, or name the file .png or .tiff"
        ) from exc


def dump_lossless(image: Any, pickler: Pickler) -> Tuple[str, bytes]:
    """Return serialization type and bytes of an image, with all pixels, mode, alpha and EXIF data.

    An image file that was opened and not touched stays the file that it was. PNG holds the common modes; an
    image that it cannot hold is pickled, and so is one of a class that is not PIL's.

    :raises CodecError: it has several frames, of which only one would be kept; or attributes of the user's,
        or a palette, that neither PNG nor a pickle keeps.
    """
    is_pils = type(image).__module__.partition(".")[0] == "PIL"
    _check_attributes(image)
    untouched = _untouched_file(image) if is_pils else b""
    if untouched:
        return "image", untouched
    if getattr(image, "n_frames", 1) > 1:
        raise CodecError(
            f"is an image of {image.n_frames} frames, and an image artifact holds one: return image.copy() "
            "for the current frame, a list of frames (PIL.ImageSequence.Iterator), or the bytes of the file"
        )
    if is_pils:
        data = _png(image)
        if data:
            return "image", data
    return "pickle", _pickled(image, pickler, is_pils)


def open_image(data: bytes) -> Any:
    """Return the image in the bytes of a JPEG, PNG or other image file."""
    from PIL import Image

    if not is_data_only():
        return Image.open(io.BytesIO(data))
    Image.init()
    return Image.open(io.BytesIO(data), formats=[name for name in _PLAIN_FORMATS if name in Image.OPEN])


def _saved(image: Any, kind: str, options: Dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def _png(image: Any) -> bytes:
    """Return the image as PNG; nothing if that would change it."""
    if image.mode not in _PNG_MODES:
        return b""
    options = {name: image.info[name] for name in _PNG_INFO if name in image.info}
    exif = _exif(image)
    if exif:
        options["exif"] = exif
    if "transparency" not in options and _alphas(image):
        # A palette of four bands, which PNG holds in two parts.
        options["transparency"] = _alphas(image)
    try:
        data = _saved(image, "PNG", options)
        return data if _facts(open_image(data)) == _facts(image) else b""
    except (OSError, ValueError, TypeError, KeyError, SystemError):
        return b""  # No pixels, or a palette or a note in ``info`` that PNG cannot hold.


def _pickled(image: Any, pickler: Pickler, is_pils: bool) -> bytes:
    image.load()
    # Without the file that it was opened from.
    plain = image.copy() if is_pils else image
    exif = _exif(image)
    if exif:
        # PIL pickles what is in ``info`` alone.
        plain.info["exif"] = exif
    data = pickler(plain)
    back = unpickle(data)
    lost = [name for name in vars(image) if not name.startswith("_") and name not in vars(back)]
    if not is_pils and lost:
        raise _not_kept(lost[0])
    if _facts(back) != _facts(image):
        raise CodecError(
            f"is an image of mode {image.mode} with a palette that PIL does not pickle: return "
            "image.convert('RGBA')"
        )
    return data


def _check_attributes(image: Any) -> None:
    """Raises :class:`CodecError` for attributes that the user has set; those of files are PIL's business."""
    from PIL import Image

    if type(image) is Image.Image:
        known = {*vars(Image.new("1", (1, 1))), *_PIL_ATTRIBUTES}
        lost = [name for name in vars(image) if not name.startswith("_") and name not in known]
        if lost:
            raise _not_kept(lost[0])


def _not_kept(attribute: str) -> CodecError:
    return CodecError(
        f"is an image with the attribute {attribute!r}, which PIL does not store: return it next to the "
        "image, in a tuple or a dict"
    )


def _untouched_file(image: Any) -> bytes:
    """Return the bytes of an opened file whose pixels were not read yet; else nothing."""
    file = getattr(image, "fp", None)
    if file is None or not getattr(image, "tile", None) or image.tell():
        return b""
    position = file.tell()
    file.seek(0)
    data: bytes = file.read()
    file.seek(position)
    opened = open_image(data)
    # ``draft`` changes mode and size before anything is read; what the file says can be changed, too.
    is_same = (opened.mode, opened.size) == (image.mode, image.size) and opened.info == image.info
    return data if is_same and _exif(opened) == _exif(image) else b""


def _exif(image: Any) -> bytes:
    """Return the current EXIF data; ``info`` has those that were read."""
    found = image.getexif()
    return bytes(found.tobytes()) if len(found) else b""


def _alphas(image: Any) -> bytes:
    """Return the alpha of each entry of a four-band palette; nothing for other images."""
    if image.mode != "P" or image.palette is None or image.palette.mode != "RGBA":
        return b""
    return bytes(image.getpalette("RGBA")[3::4])


def _facts(image: Any) -> Tuple[Any, ...]:
    image.load()
    facts = image.mode, image.size, image.tobytes(), _exif(image)
    if image.mode != "P":
        return (*facts, image.info.get("transparency"))
    # Transparency is in ``info``, or in the palette.
    return (*facts, image.getpalette(), image.convert("RGBA").tobytes())
