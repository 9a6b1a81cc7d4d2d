"""Make small images of a list of images, so that pages can show what is inside a pickle without reading it.

In: a list or tuple that a function returned. Out: a preview of the kind ``images``, or nothing. PIL is never
imported: whoever made the images has it.
"""

from __future__ import annotations

import base64
import io
from typing import Any, Dict, List, Optional, Sequence

# Images that are shown, pixels of their longer side, pixels of an image that is worth scaling down.
_MOST, _SIDE, _LARGEST = 12, 96, 50_000_000
_QUALITY = 75


def thumbnails(values: Sequence[Any]) -> Optional[Dict[str, Any]]:
    """Return a preview of a list that begins with images of PIL; None: it does not."""
    shown = values[:_MOST]
    if not shown or not all(_is_image(value) for value in shown):
        return None
    images: List[Dict[str, Any]] = []
    for image in shown:
        if image.width * image.height > _LARGEST:
            break
        jpeg = base64.b64encode(_small(image)).decode("ascii")
        images.append({"width": image.width, "height": image.height, "jpeg": jpeg})
    return {"kind": "images", "count": len(values), "images": images} if images else None


def _is_image(value: Any) -> bool:
    return any(f"{base.__module__}.{base.__qualname__}" == "PIL.Image.Image" for base in type(value).__mro__)


def _small(image: Any) -> bytes:
    """Return a small JPEG of an image, which stays as it is; on white where it is transparent."""
    scale = min(1.0, _SIDE / max(image.width, image.height))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Their colours are numbers of a palette, or their range is not that of a byte.
    plain = image if image.mode in ("L", "RGB", "RGBA", "LA") else image.convert("RGBA")
    small = plain.resize(size).convert("RGBA")
    white = small.copy()
    white.paste((255, 255, 255, 255), (0, 0, *size))
    white.alpha_composite(small)
    buffer = io.BytesIO()
    white.convert("RGB").save(buffer, format="JPEG", quality=_QUALITY)
    return buffer.getvalue()
