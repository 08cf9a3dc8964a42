"""Images as a source: paths in the column, normalised pixels in a batch."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from seqrnn.data.dataset.columns import Column
from seqrnn.data.fields import image_field
from seqrnn.data.fields.image_field import ImageField
from seqrnn.data.fields.input_sizes import ImageSizes
from seqrnn.data.record import Record
from seqrnn.errors import DataError, ModelError


@pytest.fixture
def records(tmp_path):
    """Noise that is brighter in red than in blue, one image a record."""
    generator = np.random.default_rng(1)
    (tmp_path / "table.tsv").touch()
    for number in range(5):
        noise = generator.integers(0, (255, 120, 60), (8, 8, 3)).astype(np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{number}.png")
    table = str(tmp_path / "table.tsv")
    return [Record(f"{number}.png", ("x",), table, number + 1) for number in range(5)]


def batch(field, records):
    column = Column.of([side.ids for side in field.encode(records)])
    return field.gather(column, np.arange(len(records)))


def pixels(records, tmp_path):
    return np.stack([np.asarray(Image.open(tmp_path / record.source)) for record in records])


def test_channels_have_mean_0_and_deviation_1(records):
    field = ImageField("source", 8, normalize=True)
    field.fit(records)
    images = batch(field, records)
    assert images.shape == (5, 3, 8, 8)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(images.std(axis=(0, 2, 3)), 1, atol=1e-5)


def test_raw_images_lie_between_minus_1_and_1(records, tmp_path):
    field = ImageField("source", 8, normalize=False)
    field.fit(records)
    expected = pixels(records, tmp_path).transpose(0, 3, 1, 2) / 127.5 - 1
    np.testing.assert_allclose(batch(field, records), expected, atol=1e-6)


def test_what_was_learned_is_taken_over(records):
    learned, loaded = ImageField("source", 8, True), ImageField("source", 8, True)
    learned.fit(records[:2])
    loaded.load_json(learned.to_json())
    np.testing.assert_array_equal(batch(loaded, records), batch(learned, records))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps({"mean": [0, 0], "deviation": [1, 1]}),
        json.dumps({"mean": [0, 0, 0], "deviation": [1, 1, 0]}),
        '{"mean": [0, 0, NaN], "deviation": [1, 1, 1]}',
        json.dumps({"mean": [0, 0, "a"], "deviation": [1, 1, 1]}),
        json.dumps({"mean": [0, 0, int("9" * 400)], "deviation": [1, 1, 1]}),
        json.dumps({"mean": [0, 0, -1e308], "deviation": [1, 1, 1]}),
        json.dumps({"mean": [0, 0, 0], "deviation": [1, 1, 1e-320]}),
        json.dumps({"mean": [0, 0, 0], "deviation": [1, 1, 1], "more": 1}),
    ],
)
def test_a_damaged_image_json_is_refused(content):
    with pytest.raises(ModelError, match=r"image\.json"):
        ImageField("source", 8, True).load_json(content)


def test_an_image_is_decoded_once_until_the_file_changes(records, tmp_path, monkeypatch):
    read = []
    decode = image_field.read_pixels
    monkeypatch.setattr(
        image_field, "read_pixels", lambda file, side: read.append(file.path) or decode(file, side)
    )
    field = ImageField("source", 8, normalize=False)
    before = batch(field, records)
    batch(field, records)
    assert len(read) == len(records)
    Image.new("RGB", (9, 9), "white").save(tmp_path / "2.png")
    after = batch(field, records)
    assert len(read) == len(records) + 1
    assert after[2].min() == 1.0
    np.testing.assert_array_equal(after[[0, 1, 3, 4]], before[[0, 1, 3, 4]])


def test_no_more_images_are_kept_than_memory_is_given(records, monkeypatch):
    monkeypatch.setattr(image_field, "KEPT_BYTES", 2 * 3 * 8 * 8)
    field = ImageField("source", 8, normalize=False)
    batch(field, records)
    assert field._read.cache_info().currsize == 2


def test_a_missing_and_a_broken_image_are_told_with_their_location(records, tmp_path):
    field = ImageField("source", 8, normalize=False)
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match=r"table\.tsv:2: '.*1\.png': "):
        field.encode(records)
    (tmp_path / "3.png").unlink()
    with pytest.raises(DataError, match=r"table\.tsv:4: '.*3\.png': No such file"):
        field.check(records[3])


def test_an_image_that_has_gone_since_is_told():
    field = ImageField("source", 8, normalize=False)
    column = Column.of([np.frombuffer(b"/nowhere/a.png", dtype=np.uint8)])
    with pytest.raises(DataError, match=r"/nowhere/a\.png.*No such file"):
        field.gather(column, np.array([0]))


def test_a_column_holds_one_step_an_image():
    field = ImageField("source", 8, normalize=False)
    assert field.lengths(Column.of([np.arange(5), np.arange(9)]), np.arange(2)).tolist() == [1, 1]
    assert field.sizes() == ImageSizes(3, 8)
