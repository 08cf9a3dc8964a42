"""Image files become pixels, and whatever is wrong with one is told in one line."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from seqrnn.data.fields.images import FORMATS, read_pixels
from seqrnn.data.fields.named_files import find_file
from seqrnn.errors import DataError, UsageError


def content(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def plain(mode="RGB", colour=(200, 100, 50), size=(40, 30)):
    return Image.new(mode, size, colour)


@pytest.fixture
def read(tmp_path):
    """A function: an image file's bytes -> its pixels."""

    def from_bytes(data, side=8):
        path = tmp_path / "image"
        path.write_bytes(data)
        return read_pixels(find_file(str(path)), side)

    return from_bytes


@pytest.mark.parametrize("format", FORMATS)
def test_images_of_every_format_are_read(read, format):
    pixels = read(content(plain(), format))
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels, np.broadcast_to([200, 100, 50], (8, 8, 3)), atol=6)


def test_an_image_is_stretched_and_its_areas_averaged(read):
    stripes = np.zeros((16, 64, 3), dtype=np.uint8)
    stripes[:8] = 255
    pixels = read(content(Image.fromarray(stripes)), side=2)
    assert pixels[0].min() > 200
    assert pixels[1].max() < 55


def test_a_palette_and_grey_become_rgb(read):
    red = plain(colour=(255, 0, 0)).quantize(4)
    assert read(content(red))[0, 0].tolist() == [255, 0, 0]
    assert read(content(plain("L", 77)))[0, 0].tolist() == [77, 77, 77]


def test_white_shows_through_where_an_image_is_transparent(read):
    assert read(content(plain("RGBA", (10, 20, 30, 0))))[4, 4].tolist() == [255, 255, 255]


def test_a_photograph_is_turned_upright(read):
    photograph = Image.new("RGB", (32, 32), "black")
    photograph.paste("white", (0, 0, 32, 16))  # the upper half
    exif = photograph.getexif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    pixels = read(content(photograph, "JPEG", exif=exif), side=4)
    assert pixels[:, 3].min() > 200
    assert pixels[:, 0].max() < 55


def test_pixels_of_more_than_eight_bits_are_refused_and_not_made_white(read):
    with pytest.raises(DataError, match="8 bits a channel"):
        read(content(Image.fromarray(np.full((4, 4), 40_000, dtype=np.uint16))))


def test_a_cut_image_is_refused(read):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for format in ("PNG", "JPEG"):
        with pytest.raises(DataError, match=r"image.*PNG, JPEG"):
            read(content(noise, format)[:2000])


def test_what_is_no_image_is_told_with_the_formats_that_are_read(read):
    with pytest.raises(DataError, match=r"'.*image': is no image.*PNG, JPEG, WEBP, GIF, BMP, PPM"):
        read(b"<svg></svg>")


def test_an_image_that_would_fill_the_memory_is_refused(read, monkeypatch):
    data = content(plain(size=(100, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9_000)  # Pillow only warns of up to twice as many
    with pytest.raises(DataError, match=r"decompression bomb[^.]*; give"):
        read(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
    with pytest.raises(DataError, match=r"decompression bomb[^.]*; give"):
        read(data)


NOISE = Image.fromarray(np.random.default_rng(2).integers(0, 256, (9, 9, 3), dtype=np.uint8))
SAMPLES = [content(NOISE, format) for format in FORMATS]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SAMPLES), st.integers(0, 200), st.binary(min_size=1, max_size=4))
def test_damage_gives_pixels_or_one_line(read, sample, place, damage):
    told = "no image could be damaged so"
    try:
        shape = read(sample[:place] + damage + sample[place + len(damage) :]).shape
    except DataError as error:
        shape, told = (8, 8, 3), str(error)
    assert shape == (8, 8, 3)
    assert "\n" not in told


def test_without_pillow_it_is_said_how_to_install_it(read, monkeypatch):
    data = content(plain())
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UsageError, match=r"pip install 'seqrnn\[images\]'"):
        read(data)
