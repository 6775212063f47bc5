"""Pictures of 16 bit through an export: the numbers of the run's files, and the answers of translate.py."""

import json

import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.export import saved_model
from gan_zoo.export.loading import ABOUT_FILE, exported_ways
from gan_zoo.images import encode_png
from gan_zoo.models.base import Translator
from gan_zoo.translation.painting import Painter
from gan_zoo.translation.trained import TrainedModel

RANDOM = np.random.default_rng(0)
TWELVE_BITS = RANDOM.integers(0, 4096, (24, 17, 3)).astype(np.uint16)
EIGHT_BITS = RANDOM.integers(0, 256, (24, 17, 3), np.uint8)
ALPHA = np.concatenate([RANDOM.integers(0, 65536, (9, 12, 3)), RANDOM.integers(0, 65536, (9, 12, 1))], -1)


def bent(channels: int = 3) -> Translator:
    """Darkens light colours, more than numbers of 8 bit could say."""
    sizes = {"input_channels": channels, "output_channels": channels, "image_size": 16, "size_multiple": 4}
    return Translator(function=lambda image: tf.tanh(0.9 * image) ** 3, networks={}, **sizes)


def painted(translator: Translator, image: np.ndarray, ranges: tuple) -> np.ndarray:
    """What translate.py writes."""
    painter = Painter("run", translator, ranges=ranges)
    ((title, answer),) = painter.translations(image, "a.png").items()
    return painter.as_in_files(title, answer)


@pytest.mark.parametrize("ranges", [(4095, 1023), (4095, None)])
def test_answers_are_those_of_translate(tmp_path, ranges) -> None:
    translator = bent()
    saved_model.export({"translate": translator}, tmp_path, 1, ranges={"translate": ranges})
    its = tf.saved_model.load(str(tmp_path / "1")).signatures
    expected = {image.dtype: painted(translator, image, ranges) for image in (TWELVE_BITS, EIGHT_BITS)}
    assert {answer.dtype for answer in expected.values()} == {np.dtype(np.uint8 if ranges[1] is None else np.uint16)}

    answer = its["translate_uint16"](image=TWELVE_BITS[np.newaxis])["translation"][0].numpy()
    np.testing.assert_array_equal(answer, expected[TWELVE_BITS.dtype], strict=True)
    files = [encode_png(TWELVE_BITS), encode_png(EIGHT_BITS)]
    made = its["translate_bytes"](image_bytes=tf.constant(files))["translation_bytes"].numpy()
    for file, wanted in zip(made, expected.values(), strict=True):
        assert file[24] == 8 * wanted.itemsize
        np.testing.assert_array_equal(tf.io.decode_png(file, dtype=tf.as_dtype(wanted.dtype)), wanted)
    assert its["serving_default"](image=EIGHT_BITS[np.newaxis])["translation"].dtype == tf.uint8
    with pytest.raises(tf.errors.InvalidArgumentError, match="4 channels, where 3 are needed"):
        its["translate_uint16"](image=tf.zeros([1, 16, 16, 4], tf.uint16))

    zoo = TrainedModel(exported_ways(tmp_path / "1"), None, 1)
    answer = zoo.translate(TWELVE_BITS)
    wide = expected[TWELVE_BITS.dtype].astype(np.uint16) * (257 if ranges[1] is None else 1)
    np.testing.assert_array_equal(answer, wide, strict=True)
    assert zoo.translate(EIGHT_BITS).dtype == np.uint8


@pytest.mark.parametrize("channels", [1, 4])
def test_alpha_and_grey_of_16_bit(tmp_path, channels) -> None:
    """Laid over white as `to_channels` does; alpha has no range."""
    translator, ranges = bent(channels), (4095, 4095)
    image = ALPHA.astype(np.uint16)
    image[..., :3] //= 16
    saved_model.export({"translate": translator}, tmp_path, 1, ranges={"translate": ranges})
    its = tf.saved_model.load(str(tmp_path / "1")).signatures
    for picture in (image if channels == 4 else image[..., :3], image[..., :1]):
        (made,) = its["translate_bytes"](image_bytes=tf.constant([encode_png(picture)]))["translation_bytes"].numpy()
        wanted = painted(translator, picture, ranges)
        np.testing.assert_array_equal(tf.io.decode_png(made, dtype=tf.uint16), wanted)


def test_what_an_export_says_of_itself_is_looked_at(tmp_path) -> None:
    path = saved_model.export({"translate": bent()}, tmp_path, 1, colour_profiles=False)
    about = json.loads((path / ABOUT_FILE).read_text())
    none = {"input_classes": None, "input_range": None, "output_range": None, "labels": [], "one_label": False}
    assert about["translators"] == {"translate": none}
    assert not exported_ways(path)["translate"].readings[0].colour_profiles
    wrong = [{"input_classes": "x"}, none | {"labels": "red"}, none | {"labels": [1]}, none | {"one_label": 1}]
    for text in ("", "[]", "{}", *(json.dumps(about | {"translators": {"translate": its}}) for its in wrong)):
        (path / ABOUT_FILE).write_text(text)
        with pytest.raises(UserError, match=r"gan_zoo.json is damaged: export once more"):
            exported_ways(path)
    (path / ABOUT_FILE).unlink()  # from before there was such a file
    assert exported_ways(path)["translate"].readings[0].colour_profiles
