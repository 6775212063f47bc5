"""Colour profiles against closed forms in numpy, over profiles that are made byte by byte."""

import io
import types

import icc_profiles
import numpy as np
import pytest
from icc_profiles import INKS, cmyk_profile, grey_profile, lab_to_srgb, rgb_profile, srgb_encoded, to_srgb
from PIL import Image, ImageCms
from small_run import run_translate, save_run, small

import gan_zoo
from datasets import folder
from gan_zoo.images import decode_image, encode_png
from gan_zoo.translation.holders import opened

RANDOM = np.random.default_rng(0)
# Without the colours that sRGB does not have: a cut at the border of one channel hides errors of the others.
COLOURS = RANDOM.integers(60, 200, (16, 24, 3)).astype(np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# sRGB by its curve in 16 bit, without a name, as scanners and cameras have it.
ROUNDED = rgb_profile(icc_profiles.SRGB, icc_profiles.srgb_decoded(np.linspace(0, 1, 256)))


def saved(image: np.ndarray | Image.Image, file_format: str = "PNG", **options) -> bytes:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def test_a_wide_profile_becomes_srgb() -> None:
    expected = to_srgb(COLOURS)
    decoded = decode_image(saved(COLOURS, icc_profile=rgb_profile()))
    # Rounding to 8 bit, and LittleCMS' own to fixed point before it.
    assert decoded.dtype == np.uint8 and np.abs(decoded - expected).max() < 1.0
    assert np.abs(COLOURS - expected).max() > 30  # what overlooking it would cost
    vivid = np.zeros((8, 8, 3), np.uint8)
    vivid[..., 1] = 255  # Adobe RGB's green is outside: no red in sRGB, never the other end of the range
    np.testing.assert_array_equal(decode_image(saved(vivid, icc_profile=rgb_profile()))[0, 0, :2], [0, 255])


@pytest.mark.parametrize("file_format", ["WEBP", "JPEG"])
def test_every_format_that_has_profiles(file_format) -> None:
    data = saved(
        np.full((16, 16, 3), (90, 160, 120), np.uint8),
        file_format,
        icc_profile=rgb_profile(),
        **({"lossless": True} if file_format == "WEBP" else {"quality": 100, "subsampling": 0}),
    )
    expected = to_srgb(np.array([90, 160, 120]))
    # JPEG may be a level off in what it keeps, which the conversion doubles at most.
    assert np.abs(decode_image(data) - expected).max() < 3.0
    assert np.abs(np.array([90, 160, 120]) - expected).max() > 20


def test_alpha_stays_and_palettes_are_looked_up_first() -> None:
    alpha = RANDOM.integers(0, 256, (16, 24, 1)).astype(np.uint8)
    decoded = decode_image(saved(np.concatenate([COLOURS, alpha], -1), icc_profile=rgb_profile()))
    np.testing.assert_array_equal(decoded[..., 3:], alpha)
    assert np.abs(decoded[..., :3] - to_srgb(COLOURS)).max() < 1.0
    indexed = Image.fromarray(COLOURS).quantize(16)
    decoded = decode_image(saved(indexed, icc_profile=rgb_profile()))
    assert np.abs(decoded - to_srgb(np.asarray(indexed.convert("RGB")))).max() < 1.0


def test_grey_stays_one_channel() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    decoded = decode_image(saved(grey, icc_profile=grey_profile(1.8)))
    expected = srgb_encoded((grey / 255) ** (round(1.8 * 256) / 256))
    assert decoded.shape == (16, 16, 1) and np.abs(decoded[..., 0] - expected).max() < 0.6
    assert np.abs(grey - expected).max() > 15


@pytest.mark.parametrize("profile", [SRGB, ROUNDED], ids=["built in", "rounded"])
def test_srgb_stays_as_it_is_to_the_bit(profile) -> None:
    image = RANDOM.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decode_image(saved(image, icc_profile=profile)), image)
    transform = ImageCms.buildTransform(*map(ImageCms.ImageCmsProfile, map(io.BytesIO, (profile, SRGB))), "RGB", "RGB")
    converted = np.asarray(ImageCms.applyTransform(Image.fromarray(image), transform))
    assert np.abs(converted.astype(int) - image).max() == (profile == ROUNDED)  # what rounding would have cost


def test_a_profile_that_exchanges_two_colours_exchanges_them_back() -> None:
    """The same picture, once in sRGB, and once with red for green under a profile that says so."""
    swapped = rgb_profile(icc_profiles.SRGB[:, [1, 0, 2]], 2.2)
    straight = rgb_profile(icc_profiles.SRGB, 2.2)
    np.testing.assert_array_equal(
        decode_image(saved(np.ascontiguousarray(COLOURS[..., [1, 0, 2]]), icc_profile=swapped)),
        decode_image(saved(COLOURS, icc_profile=straight)),
    )


def test_cmyk_goes_by_its_profile() -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, 8:, 3] = 255  # white paper, and black ink
    inks[8:, :8, 0] = 255  # cyan
    picture = Image.fromarray(inks, "CMYK")
    decoded = decode_image(saved(picture, "JPEG", quality=100, icc_profile=cmyk_profile()))
    assert decoded.shape == (16, 16, 3)
    for (row, column), inks_lab in {(2, 2): 0, (13, 2): INKS[0], (2, 13): INKS[3], (13, 13): INKS[3]}.items():
        # Lab in 8 bit, as the profile has it, is good for half a level of L, which is 255 / 100 of grey at most.
        expected = lab_to_srgb(np.array([100, 0, 0]) + inks_lab)
        assert np.abs(decoded[row, column] - expected).max() < 2.5, (row, column)
    plain = decode_image(saved(picture, "JPEG", quality=100))
    assert np.abs(plain[13, 2].astype(int) - decoded[13, 2]).max() > 40  # cyan is not 0, 255, 255


@pytest.mark.parametrize(
    "profile",
    [b"no profile", rgb_profile()[:150], rgb_profile()[:-30], grey_profile(), cmyk_profile(), bytes(1000)],
    ids=["words", "a header alone", "cut off", "for grey", "for CMYK", "zeros"],
)
def test_a_profile_that_does_not_fit_is_as_if_it_were_not_there(profile) -> None:
    np.testing.assert_array_equal(decode_image(saved(COLOURS, icc_profile=profile)), COLOURS)


@pytest.mark.parametrize("profile", [b"no profile", rgb_profile()], ids=["words", "for RGB"])
def test_inks_without_a_profile_of_theirs_are_what_they_were(profile) -> None:
    inks = Image.fromarray(COLOURS).convert("CMYK")
    plain = decode_image(saved(inks, "JPEG"))
    np.testing.assert_array_equal(decode_image(saved(inks, "JPEG", icc_profile=profile)), plain)


def test_numbers_that_are_no_colours_stay() -> None:
    data = saved(COLOURS, icc_profile=rgb_profile())
    np.testing.assert_array_equal(decode_image(data, use_profile=False), COLOURS)


def test_sixteen_bits_keep_their_numbers() -> None:
    image = RANDOM.integers(0, 2**16, (16, 24, 3)).astype(np.uint16)
    plain = encode_png(image)
    marked = saved(COLOURS, icc_profile=rgb_profile())
    start = marked.index(b"iCCP") - 4
    length = int.from_bytes(marked[start : start + 4], "big") + 12
    data = plain[:33] + marked[start : start + length] + plain[33:]  # behind IHDR
    assert Image.open(io.BytesIO(data)).info["icc_profile"] == rgb_profile()
    np.testing.assert_array_equal(decode_image(data), image)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK"])
def test_a_pil_image_is_what_its_file_is(mode) -> None:
    profile = {"L": grey_profile(1.8), "CMYK": cmyk_profile()}.get(mode, rgb_profile())
    data = saved(Image.fromarray(COLOURS).convert(mode), "JPEG" if mode == "CMYK" else "PNG", icc_profile=profile)
    decoded = decode_image(data)
    np.testing.assert_array_equal(opened(Image.open(io.BytesIO(data))).images[0], decoded)
    assert (decoded != decode_image(data, use_profile=False)).mean() > 0.3


def test_profiles_can_be_left_alone_in_training_translation_and_evaluation(tmp_path, capsys) -> None:
    data = saved(COLOURS, icc_profile=rgb_profile())
    for side in ("trainA", "trainB"):
        (tmp_path / "data" / side).mkdir(parents=True)
        (tmp_path / "data" / side / "x.png").write_bytes(data)
    (tmp_path / "plain.png").write_bytes(saved(COLOURS))
    path = tmp_path / "data" / "trainA" / "x.png"
    for profiles in (True, False):
        config = types.SimpleNamespace(direction="a_to_b", colour_profiles=profiles)
        for load in (folder.load, folder.load_single):
            for image in load("train", config, str(tmp_path / "data"))[0].values():
                assert (image == COLOURS).all() != profiles
        run = tmp_path / f"run_{profiles}"
        save_run(run, small("pix2pix", dropout=False, colour_profiles=profiles), name="pix2pix")
        zoo = gan_zoo.load(run)
        plain = zoo.translate(COLOURS)
        for held in (path, Image.open(path)):
            assert (np.asarray(zoo.translate(held)) == plain).all() != profiles
        words = [f"--workdir={run}", f"--input={path}", f"--output={tmp_path / 'out'}"]
        assert run_translate(capsys, *words)[0] == 0
        assert (decode_image((tmp_path / "out" / "x_translation.png").read_bytes()) == plain).all() != profiles
