"""Whole pictures with something odd beside the pixels are read, and pictures of which a part is missing are not."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gan_zoo import headers, images
from gan_zoo.images import BadImage, decode_image, size_of

RANDOM = np.random.default_rng(0)
SCENE = np.asarray(
    Image.fromarray(RANDOM.integers(0, 256, (12, 16, 3), np.uint8)).resize((128, 96), Image.Resampling.BICUBIC)
)  # [96, 128, 3]: blobs, no block of it grey


def saved(picture, file_format, **options):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, file_format, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks, behind=False):
    """A PNG of the scene with chunks before or behind its pixels."""
    data = saved(SCENE, "PNG")
    place = len(data) - 12 if behind else 33
    return data[:place] + b"".join(chunks) + data[place:]


def xmp(orientation, packed=False):
    text = b'<rdf:Description xmlns:tiff="x" tiff:Orientation="%d"/>' % orientation
    return chunk(
        b"iTXt", b"XML:com.adobe.xmp\0" + bytes([packed, 0]) + b"\0\0" + (zlib.compress(text) if packed else text)
    )


def exif(orientation, order=">"):
    head = b"MM\0*" if order == ">" else b"II*\0"
    return head + struct.pack(order + "IHHHIHHI", 8, 1, headers.ORIENTATION, 3, 1, orientation, 0, 0)


@pytest.mark.parametrize(
    "odd",
    [
        chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1_300_000))),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 1_300_000)),
        chunk(b"eXIf", b"b'Exif\\x00\\x00MM'"),
        chunk(b"tEXt", b"Comment\0text")[:-4] + b"\0\0\0\0",  # a wrong checksum
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0damaged"),
        chunk(b"iCCP", b"x\0\0damaged"),
        chunk(b"pHYs", b""),
    ],
    ids=["large profile", "large text", "broken EXIF", "checksum", "broken XMP", "broken profile", "empty block"],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_odd_metadata_of_a_png_does_not_matter(odd, bits):
    data = png_with(odd)
    if bits == 16:
        deep = images.encode_png(SCENE.astype(np.uint16) * 257)
        data = deep[:33] + odd + deep[33:]
    truth = SCENE if bits == 8 else SCENE.astype(np.uint16) * 257
    np.testing.assert_array_equal(decode_image(data), truth)
    assert size_of(data) == (96, 128)


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_broken_exif_of_other_files_does_not_matter(file_format):
    data = saved(SCENE, file_format, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\0\0")
    assert decode_image(data).shape == SCENE.shape


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("how", [xmp, lambda turn: xmp(turn, True), lambda turn: chunk(b"eXIf", exif(turn))])
def test_the_orientation_of_a_png(how, behind):
    for turn, truth in [(6, np.rot90(SCENE, -1)), (3, np.rot90(SCENE, 2)), (1, SCENE), (9, SCENE)]:
        data = png_with(how(turn), behind=behind)
        np.testing.assert_array_equal(decode_image(data), truth)
        assert size_of(data) == truth.shape[:2]


def test_exif_comes_before_xmp():
    data = png_with(xmp(3), chunk(b"eXIf", exif(1)))
    np.testing.assert_array_equal(decode_image(data), SCENE)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_cut_scan_with_its_end_marker_is_refused(options, mode):
    """As a scanner or a card leaves it; the libraries fill the rest with grey and say nothing."""
    buffer = io.BytesIO()
    inks = Image.fromarray(np.concatenate([SCENE, SCENE[::-1, :, :1]], -1), "CMYK")
    (inks if mode == "CMYK" else Image.fromarray(SCENE).convert(mode)).save(buffer, "JPEG", quality=90, **options)
    data = buffer.getvalue()
    decode_image(data)
    start = data.rindex(b"\xff\xda") if "progressive" in options else data.index(b"\xff\xda")
    size = len(data) - 2 - start
    for share in np.linspace(0.2, 0.9, 9):
        place = start + int(share * size)
        place -= data[place - 1] == 0xFF  # no half of a marker
        with pytest.raises(BadImage, match=r"^damaged, partly: data are missing"):
            decode_image(data[:place] + b"\xff\xd9")


def test_progressive_files_without_their_last_scans_are_refused():
    data = saved(SCENE, "JPEG", quality=90, progressive=True)
    scans = [place for place in range(len(data)) if data[place : place + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for place in scans[1:]:
        with pytest.raises(BadImage, match=r"^damaged, partly"):
            decode_image(data[:place] + b"\xff\xd9")


def test_grey_ends_and_what_stands_behind_the_picture_are_no_damage():
    grey = SCENE.copy()
    grey[64:] = 128
    for options in ({}, {"progressive": True}, {"restart_marker_rows": 1}):
        data = saved(grey, "JPEG", quality=95, **options)
        np.testing.assert_allclose(decode_image(data)[72:], 128, atol=2)
        assert decode_image(data + b"behind\xff\xd9").shape == grey.shape
        assert decode_image(data[:-2] + bytes(20) + data[-2:]).shape == grey.shape  # padding
    assert (decode_image(saved(np.full((40, 40), 128, np.uint8), "JPEG")) == 128).all()


def test_cmyk_without_adobes_marker_is_ink_as_tensorflow_reads_it():
    buffer = io.BytesIO()
    Image.fromarray(SCENE).convert("CMYK").save(buffer, "JPEG", quality=95, subsampling=0)
    data = buffer.getvalue()
    marker = data.index(b"\xff\xee")
    plain = data[:marker] + data[marker + 2 + int.from_bytes(data[marker + 2 : marker + 4], "big") :]
    for each, what in ((data, SCENE.astype(int)), (plain, 255 - SCENE.astype(int))):
        decoded = decode_image(each).astype(int)
        truth = tf.io.decode_jpeg(each, channels=3, dct_method="INTEGER_ACCURATE").numpy()
        assert np.abs(decoded - truth).max() <= 2
        if each is data:
            assert np.abs(decoded - what).mean() < 3
    assert np.abs(decode_image(plain).astype(int) - decode_image(data)).mean() > 50


def tiff(image, order="<", photometric=None, packed=False):
    """`[H, W, C]` uint16 as a TIFF."""
    height, width, channels = image.shape
    pixels = image.astype(order + "u2").tobytes()
    pixels = zlib.compress(pixels) if packed else pixels
    photometric = (2 if channels > 1 else 1) if photometric is None else photometric
    bits = 8 + 2 + 12 * (9 + (channels == 4)) + 4  # where they stand, behind the tags
    tags = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, channels, 16 if channels == 1 else bits)]
    tags += [(259, 3, 1, 8 if packed else 1), (262, 3, 1, photometric), (273, 4, 1, bits + 2 * channels)]
    tags += [(277, 3, 1, channels), (278, 3, 1, height), (279, 4, 1, len(pixels))]
    tags += [(338, 3, 1, 2)] if channels == 4 else []
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    for tag, kind, count, value in tags:
        data += struct.pack(order + "HHI", tag, kind, count)
        data += struct.pack(order + "HH", value, 0) if kind == 3 and count == 1 else struct.pack(order + "I", value)
    return data + struct.pack(order + "I", 0) + struct.pack(order + "H", 16) * channels + pixels


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiff_of_16_bit_keeps_every_bit(channels, order, packed):
    image = RANDOM.integers(0, 65536, (10, 12, channels)).astype(np.uint16)
    decoded = decode_image(tiff(image, order, packed=packed))
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, image)


def test_tiff_of_other_kinds():
    image = RANDOM.integers(0, 65536, (10, 12, 1)).astype(np.uint16)
    np.testing.assert_array_equal(decode_image(tiff(image, photometric=0)), 65535 - image)
    for channels in (1, 3, 4):
        eight = RANDOM.integers(0, 256, (10, 12, channels)).astype(np.uint8)
        np.testing.assert_array_equal(decode_image(saved(eight.squeeze(), "TIFF")), eight)
    tag = Image.Exif()
    tag[headers.ORIENTATION] = 6
    turned = saved(SCENE, "TIFF", exif=tag)
    np.testing.assert_array_equal(decode_image(turned), np.rot90(SCENE, -1))
    assert size_of(turned) == (128, 96)
    with pytest.raises(BadImage, match="floating-point numbers: save it with 8 or 16 bits"):
        decode_image(saved(RANDOM.random((10, 12)).astype(np.float32), "TIFF"))
    with pytest.raises(BadImage, match="a truncated or damaged TIFF file"):
        decode_image(tiff(image)[:-30])


def test_the_first_frame_of_a_gif():
    frames = [Image.fromarray(np.full((16, 16, 3), value, np.uint8)) for value in (40, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert (decode_image(buffer.getvalue()) == 40).all()


def test_the_limit_of_pixels_can_be_moved(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    data = saved(SCENE, "PNG")  # of 12,288 pixels
    images.allow_pixels(12_286)
    for read in (decode_image, size_of):
        with pytest.raises(BadImage, match=r"^12288 pixels are more than 12286: --max_pixels=12288 allows them$"):
            read(data)
    images.allow_pixels(12_288)
    np.testing.assert_array_equal(decode_image(data), SCENE)
