"""Image files to pixels: read through Pillow, upright, in RGB and of one size.

Shapes: N side of an image in pixels, always of three channels.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqrnn.data.fields.named_files import NamedFile
from seqrnn.errors import DataError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

CHANNELS = 3
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "PPM")
PAPER = "white"  # shows through where an image is transparent


def read_pixels(file: NamedFile, side: int) -> NDArray[np.uint8]:
    """Read an image, stretched to `side` pixels each way: (N, N, 3), from 0 to 255.

    It is turned as its EXIF data say, and white shows through where it is transparent. Raises
    DataError for a file that is damaged, of another format than `FORMATS` or too large, and
    UsageError where Pillow is not installed.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise UsageError("images are read by Pillow; install it: pip install 'seqrnn[images]'") from error
    advice = f"give a sound image ({', '.join(FORMATS)})"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter(
                "error", Image.DecompressionBombWarning
            )  # Pillow only warns of what may fill the memory
            with Image.open(file.path, formats=FORMATS) as image:
                image.draft("RGB", (side, side))  # a large JPEG is decoded at a fraction of its size
                small = _upright_rgb(image).resize((side, side), Image.Resampling.BILINEAR)
        return np.asarray(small)
    except UnidentifiedImageError as error:
        raise DataError(f"{file.path!r}: is no image, or one of another format; {advice}") from error
    except Exception as error:  # of the many that readers of damaged files raise, bombs among them
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DataError(f"{file.path!r}: {reason}; {advice}") from error


def _upright_rgb(image: Image) -> Image:
    import PIL.Image
    import PIL.ImageOps

    if image.mode[0] in "IF":  # would lose all but the brightest
        raise ValueError(f"has pixels of mode {image.mode}, not of 8 bits a channel")
    turned = PIL.ImageOps.exif_transpose(image)
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    paper = PIL.Image.new("RGBA", turned.size, PAPER)
    return PIL.Image.alpha_composite(paper, turned.convert("RGBA")).convert("RGB")
