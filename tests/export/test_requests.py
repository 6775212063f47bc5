"""Rude requests: each ends in a sentence of its own, and none of them ends the process.

What has ended one once is asked in a child process.
"""

import io
import itertools
import json
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_run import small, small_model

from gan_zoo.export import saved_model

RANDOM = np.random.default_rng(0)
MAX_PIXELS = 10_000
CHILD = """
import json, pickle, sys
import tensorflow as tf
signatures = tf.saved_model.load(sys.argv[1]).signatures
for name, request in pickle.load(sys.stdin.buffer):
    try:
        signatures[name](**{key: tf.constant(value) for key, value in request.items()})
        print(json.dumps("answered"), flush=True)
    except tf.errors.InvalidArgumentError as error:
        print(json.dumps(error.message), flush=True)
"""


def picture_file(file_format: str, size=(40, 33), mode="RGB", **options) -> bytes:
    blocks = RANDOM.integers(0, 256, (9, 9, 4), np.uint8)
    frames = [Image.fromarray(blocks[turn:]).resize(size).convert(mode) for turn in range(3)]
    if options.get("save_all"):
        options["append_images"] = frames[1:]
    data = io.BytesIO()
    frames[0].save(data, file_format, **options)
    return data.getvalue()


def png_of(width: int, height: int, kind: bytes = b"IHDR") -> bytes:
    """A PNG whose header claims a size, with the right checksum and hardly any pixels."""
    chunks = [(kind, struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(1000)))]
    packed = [struct.pack(">I", len(data)) + name + data for name, data in [*chunks, (b"IEND", b"")]]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk + struct.pack(">I", zlib.crc32(chunk[4:])) for chunk in packed)


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header claims a size."""
    data = picture_file("JPEG")
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


def said(error) -> str:
    """The sentence alone."""
    return str(error.value).split("assertion failed: [")[1].split("]\n")[0]


def asked_in_a_child(path: pathlib.Path, requests: list[tuple[str, dict[str, np.ndarray]]]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        input=pickle.dumps(requests),
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        timeout=300,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(answers) == len(requests), (answers, done.stderr[-2000:])
    return answers


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> pathlib.Path:
    """Of a pix2pix, whose convolutions ended the process."""
    translators = small("pix2pix", image_size=64).translators
    return saved_model.export(translators, tmp_path_factory.mktemp("export"), 1, MAX_PIXELS)


@pytest.fixture(scope="module")
def signatures(path):
    return tf.saved_model.load(str(path)).signatures


@pytest.fixture(scope="module")
def with_z(tmp_path_factory):
    path = saved_model.export(small_model(input_channels=1).translators, tmp_path_factory.mktemp("export"), 1)
    return tf.saved_model.load(str(path)).signatures


def test_what_ended_the_process_does_not(path) -> None:
    animated = picture_file("WEBP", save_all=True, duration=100)
    shapes = [(64, 64, 3), (64, 3), (), (1, 1, 64, 64, 3), (0, 64, 64, 3), (1, 0, 0, 3), (1, 64, 64, 0)]
    requests = [("serving_default", {"image": np.zeros(shape, np.uint8)}) for shape in shapes]
    requests += [("translate_bytes", {"image_bytes": np.array([data], object)}) for data in (animated, animated[:140])]
    answers = asked_in_a_child(path, requests)
    for answer, part in itertools.zip_longest(
        answers, [*["a shape of ["] * 4, "a batch of 0", "0x0 pixels", "0 channels", *["[0]: a WebP file"] * 2]
    ):
        assert part in answer


class TestFiles:
    @pytest.fixture
    def refused(self, signatures):
        def ask(*files: bytes) -> str:
            with pytest.raises(tf.errors.InvalidArgumentError) as error:
                signatures["translate_bytes"](image_bytes=tf.constant(files))
            return said(error)

        return ask

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"", "an empty file"),
            (b"a text", "neither a JPEG nor a PNG file"),
            (bytes(range(256)), "neither a JPEG nor a PNG file"),
            (picture_file("GIF"), "a GIF file: give JPEG or PNG"),
            (picture_file("BMP"), "a BMP file: give JPEG or PNG"),
            (picture_file("WEBP"), "a WebP file: give JPEG or PNG"),
            (picture_file("PNG")[:8], "a damaged PNG file"),
            (picture_file("PNG")[:20], "a damaged file: its header has no size"),
            (picture_file("JPEG")[:3], "a damaged file: its header has no size"),
            (picture_file("JPEG")[:100], "a damaged file: its header has no size"),
            (png_of(0, 5), "a damaged file: its header has no size"),
            (png_of(2**31, 5), "a damaged file: its header has no size"),
            (png_of(64, 64, b"tEXt"), "a damaged PNG file"),
            (png_of(1, 50), "1x50 pixels: at least 2x2 are needed"),
            (jpeg_of(50, 1), "50x1 pixels: at least 2x2 are needed"),
        ],
    )
    def test_one_bad_among_good_is_named(self, refused, data, sentence) -> None:
        good = picture_file("PNG")
        assert refused(good, picture_file("JPEG"), data, good) == f"image_bytes[2]: {sentence}"
        assert refused(data, data) == f"image_bytes[0]: {sentence}"

    @pytest.mark.parametrize("header", [png_of, jpeg_of])
    @pytest.mark.parametrize(
        ("size", "pixels"),
        [
            ((60_000, 50_000), 60_032 * 50_048),
            ((2, 65_000), 64 * 65_024),  # many for the network alone
            ((129, 64), 192 * 64),
        ],
    )
    def test_a_header_that_claims_too_much(self, refused, header, size, pixels) -> None:
        most = f"{pixels} in all, with the border that the network needs: this export takes {MAX_PIXELS} at most"
        assert refused(picture_file("JPEG"), header(*size)) == f"image_bytes[1]: {size[0]}x{size[1]} pixels, {most}"

    def test_a_header_that_claims_what_is_allowed_and_is_not_there(self, refused) -> None:
        assert refused(png_of(64, 64)) == "image_bytes[0]: a truncated or damaged file"

    @pytest.mark.parametrize(
        "data", [picture_file("JPEG"), picture_file("PNG"), picture_file("JPEG", progressive=True)]
    )
    def test_a_damaged_body(self, refused, data) -> None:
        for damaged in (data[: len(data) * 2 // 3], data[:-30]):
            assert refused(picture_file("PNG"), damaged) == "image_bytes[1]: a truncated or damaged file"

    def test_shapes(self, refused, signatures) -> None:
        for shape, sentence in [((), "a shape of []"), ((1, 1), "a shape of [1 1]"), ((0,), "a batch of 0 files")]:
            with pytest.raises(tf.errors.InvalidArgumentError) as error:
                signatures["translate_bytes"](image_bytes=tf.fill(shape, picture_file("PNG")))
            assert said(error).startswith(f"image_bytes: {sentence}")

    def test_random_damage_ends_in_an_answer_or_in_a_sentence(self, path) -> None:
        """In a child: 300 files of random damage. What is not whole enough ends in the sentence of its place."""
        originals = [
            picture_file("PNG"),
            picture_file("PNG", mode="LA"),
            picture_file("PNG", save_all=True),
            picture_file("JPEG"),
            picture_file("JPEG", progressive=True, mode="L"),
            picture_file("JPEG", mode="CMYK"),
            picture_file("WEBP", save_all=True),
            picture_file("GIF", save_all=True),
        ]
        requests = []
        for index in range(300):
            data = bytearray(originals[index % len(originals)])
            for place in RANDOM.integers(0, min(len(data), RANDOM.choice([30, 300, 100_000])), RANDOM.integers(1, 9)):
                data[place] = RANDOM.integers(256)
            files = [bytes(data[: RANDOM.integers(len(data))] if index % 5 == 0 else data)]
            requests.append(("translate_bytes", {"image_bytes": np.array([originals[0], *files], object)}))
        answers = asked_in_a_child(path, requests)
        assert all("assertion failed: [image_bytes[1]: " in answer for answer in answers if answer != "answered")
        assert 20 < answers.count("answered") < 200

    def test_what_is_rare_but_whole_is_answered(self, signatures) -> None:
        sixteen = np.array(RANDOM.integers(0, 65536, (33, 40)), np.uint16)
        data = io.BytesIO()
        Image.fromarray(sixteen).save(data, "PNG")
        still, animated = picture_file("PNG"), io.BytesIO()
        frames = [Image.open(io.BytesIO(still)), Image.new("RGB", (40, 33), "red")]
        frames[0].save(animated, "PNG", save_all=True, append_images=frames[1:])
        files = [data.getvalue(), animated.getvalue(), still, picture_file("JPEG") + b"behind its end"]
        answers = signatures["translate_bytes"](image_bytes=tf.constant(files))["translation_bytes"].numpy()
        assert all(answer.startswith(b"\x89PNG") for answer in answers) and answers[1] == answers[2] != answers[0]


class TestImages:
    @pytest.mark.parametrize(
        ("shape", "sentence"),
        [
            ((64, 64, 3), r"a shape of [64 64 3], where [batch, height, width, channels] with 3 channels is needed"),
            ((1, 1, 1, 1, 64, 64, 3), r"a shape of [1 1 1 1 64 64 3], where"),
            ((0, 64, 64, 3), "a batch of 0 images"),
            ((1, 64, 64, 1), "1 channels, where 3 are needed"),
            ((1, 0, 64, 3), "64x0 pixels: at least 2x2 are needed"),
            ((2, 64, 1, 3), "1x64 pixels: at least 2x2 are needed"),
            ((1, 65, 128, 3), f"128x65 pixels, {128 * 128} in all, with the border"),
            ((3, 64, 64, 3), f"64x64 pixels, {3 * 64 * 64} in all, with the border"),
        ],
    )
    def test_shapes_that_do_not_fit(self, signatures, shape, sentence) -> None:
        for name, more in [("serving_default", {}), ("sample_random", {"seed": tf.constant(3, tf.int64)})]:
            with pytest.raises(tf.errors.InvalidArgumentError) as error:
                signatures[name](image=tf.zeros(shape, tf.uint8), **more)
            assert said(error).startswith(f"image: {sentence}")

    def test_the_smallest_and_the_largest_are_answered(self, signatures) -> None:
        for shape in [(1, 2, 2, 3), (1, 2, 64, 3), (2, 64, 64, 3), (1, 64, 128, 3)]:
            assert signatures["serving_default"](image=tf.zeros(shape, tf.uint8))["translation"].shape == shape

    def test_a_signature_keeps_its_shape(self, signatures) -> None:
        spec = signatures["serving_default"].structured_input_signature[1]["image"]
        assert spec.shape.as_list() == [None, None, None, 3] and spec.dtype == tf.uint8

    def test_noise_that_does_not_fit(self, with_z, signatures) -> None:
        image = tf.zeros([2, 32, 32, 1], tf.uint8)
        for shape in [(1, 3), (3, 3), (2, 2), (2,), (), (1, 2, 3)]:
            with pytest.raises(tf.errors.InvalidArgumentError) as error:
                with_z["sample"](image=image, z=tf.zeros(shape))
            assert said(error) == f"z: a shape of {text(shape)}, where [2 3] is needed: a row for each image"
        for name, its in [("z", with_z), ("seed", signatures)]:
            images = image if name == "z" else tf.zeros([2, 32, 32, 3], tf.uint8)
            for shape in [(1,), (3,), (0,), (2, 1)]:
                with pytest.raises(tf.errors.InvalidArgumentError) as error:
                    its["sample_random"](image=images, seed=tf.zeros(shape, tf.int64))
                assert said(error).startswith(f"seed: a shape of {text(shape)}, where one seed or [2] is needed")

    def test_encode(self, with_z) -> None:
        for shape in [(32, 32, 3), (0, 32, 32, 3), (1, 32, 1, 3), (1, 32, 32, 1)]:
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"assertion failed: \[image: "):
                with_z["encode"](image=tf.zeros(shape, tf.uint8))

    def test_colours_and_hints(self, tmp_path) -> None:
        model = small("colorization", image_size=64, hints=True)
        its = tf.saved_model.load(str(saved_model.export(model.translators, tmp_path, 1, MAX_PIXELS))).signatures
        image = tf.zeros([1, 20, 30, 1], tf.uint8)
        for shape in [(20, 30, 4), (2, 20, 30, 4), (1, 30, 20, 4), (1, 20, 30, 3), (1, 20, 30, 4, 1)]:
            with pytest.raises(tf.errors.InvalidArgumentError) as error:
                its["translate_with_hints"](image=image, hints=tf.zeros(shape, tf.uint8))
            wanted = "[1 20 30 4] is needed: RGBA as large as the image"
            assert said(error) == f"hints: a shape of {text(shape)}, where {wanted}"
        for shape, sentence in [
            ((1, 20, 30, 2), "2 channels, where 1 or 3 are needed"),
            ((1, 101, 100, 1), f"100x101 pixels, 10100 in all: this export takes {MAX_PIXELS} at most"),
        ]:
            with pytest.raises(tf.errors.InvalidArgumentError) as error:
                its["serving_default"](image=tf.zeros(shape, tf.uint8))
            assert said(error) == f"image: {sentence}"


def test_a_network_that_mirrors_more_than_its_padding_gives(tmp_path) -> None:
    """CycleGAN's: two halvings, then a border of one pixel, so 8x8 behind the padding to multiples of 4."""
    path = saved_model.export(small("cyclegan").translators, tmp_path, 1)
    its = tf.saved_model.load(str(path)).signatures["serving_default_b_to_a"]
    assert its(image=tf.zeros([1, 5, 5, 3], tf.uint8))["translation"].shape == (1, 5, 5, 3)
    for shape in [(1, 4, 5, 3), (1, 9, 4, 3), (1, 1, 1, 3)]:
        with pytest.raises(tf.errors.InvalidArgumentError, match="pixels: at least 5x5 are needed"):
            its(image=tf.zeros(shape, tf.uint8))


def test_what_is_enlarged_is_counted_as_it_leaves(tmp_path) -> None:
    model = small("srgan")
    its = tf.saved_model.load(str(saved_model.export(model.translators, tmp_path, 1, 1600))).signatures
    scale = model.config.scale
    side = 40 // scale
    large = its["serving_default"](image=tf.zeros([1, side, side, 3], tf.uint8))["translation"]
    assert large.shape == (1, 40, 40, 3)
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        its["translate_bytes"](image_bytes=tf.constant([png_of(side + 1, side)]))
    most = f"{40 * (40 + scale)} in all, enlarged {scale} times: this export takes 1600 at most"
    assert said(error) == f"image_bytes[0]: {side + 1}x{side} pixels, {most}"


def text(shape: tuple[int, ...]) -> str:
    return f"[{' '.join(map(str, shape))}]"
