"""Decoding against Pillow and plain numpy; [-1, 1], padding and grids against their definitions."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gan_zoo import grids, headers, images
from gan_zoo.images import BadImage, decode_image

RANDOM = np.random.default_rng(0)


def smooth(height=40, width=60):
    """A picture that JPEG keeps well: gradients of different direction in the three channels."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], -1).astype(np.uint8)


def saved(picture, file_format, **options):
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_keeps_every_bit(channels, dtype):
    image = RANDOM.integers(0, np.iinfo(dtype).max, (20, 30, channels), endpoint=True).astype(dtype)
    decoded = decode_image(images.encode_png(image))
    grey_and_alpha = np.concatenate([image[..., :1]] * 3 + [image[..., -1:]], -1)
    np.testing.assert_array_equal(decoded, grey_and_alpha if channels == 2 else image)
    assert decoded.dtype == dtype


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_is_decoded_as_pillow_does(mode, options):
    data = saved(Image.fromarray(smooth()).convert(mode), "JPEG", quality=90, **options)
    truth = np.atleast_3d(np.asarray(Image.open(io.BytesIO(data)))).astype(int)
    difference = decode_image(data).astype(int) - truth
    # Equal where both libraries carry the same libjpeg-turbo; two levels leave room for another rounding of its inverse
    # DCT or colour conversion. The fast DCT, or plain instead of smoothed chroma, is off by 4 and more.
    assert np.abs(difference).max() <= 2
    assert np.abs(difference).mean() <= 0.2


def test_cmyk_jpeg_is_not_inverted():
    picture = Image.fromarray(smooth()).convert("CMYK")
    truth = np.asarray(picture.convert("RGB")).astype(int)
    decoded = decode_image(saved(picture, "JPEG", quality=95, subsampling=0)).astype(int)
    # Four channels quantised apart: some levels; an inverted picture is off by 100 on average.
    assert decoded.shape == (40, 60, 3)
    assert np.abs(decoded - truth).mean() < 3


@pytest.mark.parametrize("file_format", ["PNG", "BMP"])
def test_palettes_are_looked_up(file_format):
    picture = Image.fromarray(smooth()).quantize(16)
    np.testing.assert_array_equal(decode_image(saved(picture, file_format)), np.asarray(picture.convert("RGB")))


def test_transparent_palette_entry_becomes_alpha():
    picture = Image.fromarray(smooth()).quantize(16)
    decoded = decode_image(saved(picture, "PNG", transparency=3))
    np.testing.assert_array_equal(decoded[..., :3], np.asarray(picture.convert("RGB")))
    np.testing.assert_array_equal(decoded[..., 3], np.where(np.asarray(picture) == 3, 0, 255))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_colour_becomes_alpha(bits, channels):
    image = RANDOM.integers(0, 2**bits, (10, 12, channels)).astype(">u2" if bits == 16 else "u1")
    image[2, 3] = image[7, 7] = (1, 2, 3)[:channels]

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 12, 10, bits, 2 if channels == 3 else 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in image))
    colour = chunk(b"tRNS", struct.pack(f">{channels}H", *(1, 2, 3)[:channels]))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    decoded = decode_image(start + colour + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    np.testing.assert_array_equal(decoded[..., :3], np.broadcast_to(image, (10, 12, 3)))
    transparent = (image == np.array((1, 2, 3)[:channels])).all(-1)
    np.testing.assert_array_equal(decoded[..., 3], np.where(transparent, 0, 2**bits - 1))


def test_one_bit_png_is_grey():
    bits = RANDOM.integers(0, 2, (16, 24)).astype(bool)
    np.testing.assert_array_equal(decode_image(saved(Image.fromarray(bits), "PNG"))[..., 0], np.where(bits, 255, 0))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("file_format", ["WEBP", "BMP"])
def test_lossless_webp_and_bmp(file_format, channels):
    image = RANDOM.integers(1, 256, (16, 24, channels)).astype(np.uint8)
    if file_format == "BMP":
        image = image[..., :3]
    options = {"lossless": True} if file_format == "WEBP" else {}
    np.testing.assert_array_equal(decode_image(saved(image, file_format, **options)), image)


def test_first_frame_of_an_animation():
    frames = [Image.fromarray(np.full((16, 16, 3), value, np.uint8)) for value in (40, 200)]
    for file_format in ("WEBP", "PNG"):
        data = saved(frames[0], file_format, save_all=True, append_images=frames[1:], lossless=True)
        assert np.abs(decode_image(data)[..., :3].astype(int) - 40).max() <= 1


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(file_format, orientation):
    upright = smooth()
    undo = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: np.rot90,
    }[orientation]
    exif = Image.Exif()
    exif[headers.ORIENTATION] = orientation
    data = saved(upright, file_format, exif=exif, **({"quality": 95} if file_format != "PNG" else {}))
    decoded = decode_image(data).astype(int)
    truth = undo(upright)
    assert decoded.shape == truth.shape
    # Compression costs a few levels; any other rotation or mirror image is off by 40 or more on average.
    assert np.abs(decoded - truth).mean() < 4


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.97])
def test_truncated_files_are_refused(file_format, share):
    data = saved(RANDOM.integers(0, 256, (40, 60, 3)).astype(np.uint8), file_format)
    with pytest.raises(BadImage, match=r"truncated|not a PNG"):
        decode_image(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "an empty file"),
        (b"This is a text.", "not a PNG, JPEG, TIFF, WebP, BMP or GIF image"),
        (saved(smooth(3, 3), "PNG"), "3x3 pixels: at least 8x8 are needed"),
        (saved(smooth(), "TGA"), "not a PNG, JPEG, TIFF, WebP, BMP or GIF image"),
    ],
)
def test_refusals_name_the_reason(data, reason):
    with pytest.raises(BadImage, match=f"^{reason}$"):
        decode_image(data)


def test_damaged_bytes_raise_nothing_else():
    picture = Image.fromarray(smooth())
    files = [saved(picture, name) for name in ("PNG", "JPEG", "WEBP", "BMP")]
    files += [saved(picture.quantize(8), "PNG"), saved(picture.convert("CMYK"), "JPEG")]
    refused = 0
    for data in files:
        for _ in range(40):
            damaged = bytearray(data)
            for place in RANDOM.integers(0, min(len(data), 200), 3):
                damaged[place] = RANDOM.integers(0, 256)
            try:
                assert decode_image(bytes(damaged)).dtype in (np.uint8, np.uint16)
            except BadImage:
                refused += 1
    assert refused > 40


def test_too_many_pixels_are_refused(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(BadImage, match=r"^2400 pixels are more than 2000: --max_pixels=2400 allows them$"):
        decode_image(saved(smooth(), "PNG"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_channels(dtype):
    high = np.iinfo(dtype).max
    grey = RANDOM.integers(0, high, (9, 11, 1), endpoint=True).astype(dtype)
    colour = RANDOM.integers(0, high, (9, 11, 3), endpoint=True).astype(dtype)
    alpha = RANDOM.integers(0, high, (9, 11, 1), endpoint=True).astype(dtype)
    alpha[0] = 0
    np.testing.assert_array_equal(images.to_channels(grey, 3), np.tile(grey, 3))
    np.testing.assert_array_equal(images.to_channels(colour, 4)[..., :3], colour)
    assert (images.to_channels(grey, 4)[..., 3] == high).all()
    # Half a level of rounding each for the product and for the weights, which are cut to 1/65536.
    share = alpha / high
    over_white = colour * share + high * (1 - share)
    flat = images.to_channels(np.concatenate([colour, alpha], -1), 3)
    assert flat.dtype == dtype
    assert (flat[0] == high).all()
    assert np.abs(flat - over_white).max() <= 0.501
    luma = colour @ np.array([0.299, 0.587, 0.114])
    assert np.abs(images.to_channels(colour, 1)[..., 0] - luma).max() <= 0.5 + high * 1.6e-5


def test_grey_is_pillows():
    np.testing.assert_array_equal(
        images.to_channels(smooth(), 1)[..., 0], np.asarray(Image.fromarray(smooth()).convert("L"))
    )


def test_unknown_channels_are_refused():
    with pytest.raises(
        ValueError, match="3 channels, of which no 2 can be made: give a picture that is grey with alpha"
    ):
        images.to_channels(smooth(), 2)


def test_float_and_back():
    levels = np.arange(256, dtype=np.uint8)
    as_float = images.to_float(levels)
    assert as_float.dtype == tf.float32
    np.testing.assert_allclose(as_float, np.linspace(-1, 1, 256), atol=1e-6)
    np.testing.assert_array_equal(images.to_uint8(as_float), levels)
    np.testing.assert_array_equal(images.to_float(levels.astype(np.float32)), as_float)
    fine = images.to_float(np.array([0, 257, 32768, 65535], np.uint16))
    np.testing.assert_allclose(fine, [-1, 2 / 255 - 1, 1 / 65535, 1], atol=1e-6)
    np.testing.assert_array_equal(images.to_uint8([-7.0, -1.0, 0.997, 1.0, 3.0]), [0, 0, 255, 255, 255])
    # 0.99 is level 253.725: cut off instead of rounded it would be 253.
    assert images.to_uint8(0.99).numpy() == 254


def test_grid_places_cells_and_titles():
    red = np.zeros((10, 12, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    black = np.zeros((20, 6, 1), np.uint8)
    clear = np.zeros((10, 12, 4), np.uint8)
    grid = grids.image_grid([[red, black], [clear]], gap=3)
    truth = np.full((33, 21, 3), 255, np.uint8)
    truth[5:15, :12] = (255, 0, 0)
    truth[:20, 15:21] = 0
    np.testing.assert_array_equal(grid, truth)
    titled = grids.image_grid([[red], [red]], ["a wide title", "n" * 80])
    assert (titled[:, :, 1] == 0).sum() >= 2 * 120
    assert (titled < 64).all(-1).any()
    assert titled.shape[1] < 400


def test_png_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a name with spaces é.png"
    images.write_png(path, smooth())
    np.testing.assert_array_equal(decode_image(path.read_bytes()), smooth())
    with pytest.raises((ValueError, tf.errors.OpError)):
        images.write_png(path, smooth()[..., :0])
    np.testing.assert_array_equal(decode_image(path.read_bytes()), smooth())
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_large_picture_is_written_row_by_row(tmp_path, monkeypatch, channels, dtype) -> None:
    picture = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (70, 20, channels), dtype, endpoint=True)
    monkeypatch.setattr(images, "LARGE", 100)
    monkeypatch.setattr(images, "encode_png", None)
    images.write_png(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(decode_image((tmp_path / "a.png").read_bytes()), picture)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
