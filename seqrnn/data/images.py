"""Image files to pixels: read through Pillow, upright, in RGB and of one size.

Shapes: N side of an image in pixels, always of three channels.
"""

from __future__ import annotations

import os
import stat
import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.record import Record
from seqrnn.errors import DataError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

CHANNELS = 3
EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".ppm")
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "PPM")
PAPER = "white"  # what shows through where an image is transparent

# What Pillow's readers raise for files that are damaged; its own errors are OSErrors or ValueErrors.
DAMAGED = (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)


class ImageFile(NamedTuple):
    """A file as it is now: another one that takes its place differs in time or size."""

    path: str
    modified: int  # in nanoseconds
    size: int  # in bytes


def path_of(record: Record) -> str:
    """Return the absolute path of the image that a record names.

    A path in a file starts from that file's folder, one in a stream from the current directory.
    """
    folder = os.path.dirname(record.path) if os.path.isfile(record.path) else ""
    return os.path.abspath(os.path.join(folder, record.source))


def find_image(path: str) -> ImageFile:
    """Look a file up. Raises DataError where there is none, or no regular one."""
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        advice = "give paths from the folder of the file that names them, or absolute ones"
        raise DataError(f"{path!r}: {reason}; {advice}") from error
    if not stat.S_ISREG(found.st_mode):
        raise DataError(f"{path!r}: is no file; give the path of an image")
    return ImageFile(path, found.st_mtime_ns, found.st_size)


def read_pixels(file: ImageFile, side: int) -> NDArray[np.uint8]:
    """Read an image, stretched to `side` pixels each way: (N, N, 3), from 0 to 255.

    It is turned as its EXIF data say, and white shows through where it is transparent. Raises
    DataError for a file that is damaged, of another format than `FORMATS` or too large, and
    UsageError where Pillow is not installed.
    """
    try:
        import PIL.Image as pillow
    except ImportError as error:
        raise UsageError("images are read by Pillow; install it: pip install 'seqrnn[images]'") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(file.path, formats=FORMATS) as image:
                image.draft("RGB", (side, side))  # a large JPEG is decoded at a fraction of its size
                small = _upright_rgb(image).resize((side, side), pillow.Resampling.BILINEAR)
        return np.asarray(small)
    except (*DAMAGED, pillow.DecompressionBombWarning, pillow.DecompressionBombError) as error:
        formats = ", ".join(FORMATS)
        raise DataError(f"{file.path!r}: {_reason(error)}; give a sound image ({formats})") from error


def _upright_rgb(image: Image) -> Image:
    from PIL import Image as pillow
    from PIL import ImageOps

    if image.mode[0] in "IF":  # would lose all but the brightest
        raise ValueError(f"has pixels of mode {image.mode}; write it with 8 bits a channel")
    turned = ImageOps.exif_transpose(image)
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    paper = pillow.new("RGBA", turned.size, PAPER)
    return pillow.alpha_composite(paper, turned.convert("RGBA")).convert("RGB")


def _reason(error: BaseException) -> str:
    """Return the reason in one line, without the path, which is told already."""
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "is no image, or of a format that is not read"
    return " ".join(str(error).split()) or type(error).__name__


def names_image(text: str) -> bool:
    """Whether a text looks like the path of an image."""
    return Path(text).suffix.lower() in EXTENSIONS
