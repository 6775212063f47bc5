"""Images of any count of channels on their way from a folder to a batch."""

import numpy as np
import pytest
import streams
from PIL import Image

from datasets import folder
from gan_zoo.data.pipeline import evaluation_batches, training_stream
from gan_zoo.data.resizing import resize_and_crop
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError
from gan_zoo.grids import shown_note, to_shown
from gan_zoo.images import BadImage, Planes, encode_png, to_channels

RANDOM = np.random.default_rng(0)


def noise(channels: int, side: int = 20, dtype=np.uint8) -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(dtype).max, (side, side, channels), dtype, endpoint=True)


def write(path, image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, image)
    elif path.suffix == ".tif":
        first, *others = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(image, -1, 0))
        first.save(path, save_all=True, append_images=others)
    else:
        path.write_bytes(encode_png(image))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 5, 16])
def test_each_channel_is_resized_by_itself(dtype, channels) -> None:
    image = noise(channels, dtype=dtype)
    place = {"top": 3, "left": 1, "flip": True}
    whole = resize_and_crop(image, (24, 26), (16, 17), **place)
    planes = [resize_and_crop(image[..., n : n + 1], (24, 26), (16, 17), **place) for n in range(channels)]
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole, np.concatenate(planes, axis=-1))


@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
def test_arrays_reach_the_batch(tmp_path, direction) -> None:
    a, b = [noise(5) for _ in range(3)], [noise(2, dtype=np.uint16) for _ in range(3)]
    for index in range(3):
        write(tmp_path / "trainA" / f"{index}.npy", a[index])
        write(tmp_path / "trainB" / f"{index}.tif", b[index])
    counts = (5, 2) if direction == "a_to_b" else (2, 5)
    config = streams.settings(
        direction=direction, input_channels=counts[0], target_channels=counts[1], load_scale=1.0, image_size=20
    )
    expected = {"a": [image / 127.5 - 1 for image in a], "b": [image / 32767.5 - 1 for image in b]}
    if direction == "b_to_a":
        expected = {"b": expected["b"], "a": expected["a"]}
    for load in (folder.load, folder.load_unpaired):
        (batch,) = evaluation_batches(load("train", config, str(tmp_path)), config, batch_size=3)
        for key, images in zip(("input_image", "target_image"), expected.values(), strict=True):
            np.testing.assert_allclose(batch[key], images, atol=1e-5)
    augmented = next(iter(training_stream(folder.load("train", config, str(tmp_path)), config)))
    assert augmented["input_image"].shape == (4, 20, 20, counts[0])
    assert augmented["target_image"].shape == (4, 20, 20, counts[1])


def test_side_by_side_and_single_arrays(tmp_path) -> None:
    pair = np.concatenate([noise(3), noise(3)], axis=1)
    write(tmp_path / "train" / "x.npy", pair)
    config = streams.settings(input_channels=3, target_channels=3)
    example = folder.load("train", config, str(tmp_path))[0]
    np.testing.assert_array_equal(example["target_image"], pair[:, 20:])
    single = folder.load_single("train", config, str(tmp_path))[0]
    np.testing.assert_array_equal(single["target_image"], pair)


def test_the_fourth_channel_of_an_array_is_no_alpha(tmp_path) -> None:
    """As RGBA, Pillow would resize nothing that is transparent."""
    image = noise(4)
    image[..., 3] = 0
    write(tmp_path / "trainA" / "x.npy", image)
    write(tmp_path / "trainB" / "x.npy", image)
    config = streams.settings(input_channels=4, target_channels=4, load_scale=1.0)
    (batch,) = evaluation_batches(folder.load("train", config, str(tmp_path)), config, batch_size=1)
    planes = [resize_and_crop(image[..., n : n + 1], (16, 16), (16, 16)) for n in range(4)]
    np.testing.assert_allclose(batch["input_image"][0], np.concatenate(planes, -1) / 127.5 - 1, atol=1e-5)
    assert np.std(batch["input_image"][..., 0]) > 0.1


def test_arrays_of_another_count_are_bad_and_say_what_would_be_right(tmp_path) -> None:
    write(tmp_path / "trainA" / "x.npy", noise(3))
    write(tmp_path / "trainB" / "x.npy", noise(1))
    for direction, key, setting in (
        ("a_to_b", "input_image", "input_channels"),
        ("b_to_a", "target_image", "target_channels"),
    ):
        config = streams.settings(direction=direction, input_channels=1, target_channels=1)
        for load in (folder.load, folder.load_unpaired):
            with pytest.raises(UserError) as caught:
                next(iter(training_stream(load("train", config, str(tmp_path)), config)))
            what = f"x.npy: {key} is an array of 3 channels, and 1 are needed: give --set {setting}=3, or another array"
            assert what in str(caught.value)
    config = streams.settings(direction="b_to_a", target_channels=1)
    source = folder.load_single("train", config, str(tmp_path))
    with pytest.raises(UserError, match="target_channels=3"):
        next(iter(training_stream(source, config, make_input=lambda target: target)))


def test_pictures_of_two_channels_are_grey_with_alpha(tmp_path) -> None:
    grey_alpha = noise(2)
    write(tmp_path / "trainA" / "x.png", grey_alpha)
    for name, image in (("x", noise(3)), ("y", noise(3)), ("z", noise(3))):
        write(tmp_path / "trainB" / f"{name}.png", image)
    write(
        tmp_path / "trainA" / "y.png", np.concatenate([np.repeat(grey_alpha[..., :1], 3, -1), grey_alpha[..., 1:]], -1)
    )
    write(tmp_path / "trainA" / "z.png", noise(3))
    config = streams.settings(input_channels=2, image_size=20, load_scale=1.0)
    skipped = SkippedFiles()
    (batch,) = evaluation_batches(folder.load("train", config, str(tmp_path)), config, batch_size=3, skipped=skipped)
    np.testing.assert_allclose(batch["input_image"], [grey_alpha / 127.5 - 1] * 2, atol=1e-6)
    assert len(skipped) == 1
    config = streams.settings(input_channels=5)
    with pytest.raises(UserError) as caught:
        next(iter(training_stream(folder.load("train", config, str(tmp_path)), config)))
    assert "input_channels=5, and input_image has 4 channels, of which no 5 can be made" in str(caught.value)


@pytest.mark.parametrize(
    ("have", "channels"), [(1, 2), (3, 2), (4, 2), (2, 1), (2, 3), (2, 4), (5, 3), (3, 5), (16, 1), (5, 6)]
)
def test_counts_that_do_not_become_each_other(have, channels) -> None:
    with pytest.raises(BadImage, match=f"^{have} channels, of which no {channels} can be made: give "):
        to_channels(noise(have), channels)
    assert to_channels(noise(have), have).shape[-1] == have


@pytest.mark.parametrize(("have", "channels"), [(3, 1), (1, 3), (4, 3), (4, 2), (3, 4)])
def test_arrays_are_never_converted(have, channels) -> None:
    planes = noise(have).view(Planes)
    with pytest.raises(BadImage, match=f"an array of {have} channels?, and {channels} are needed"):
        to_channels(planes, channels)
    np.testing.assert_array_equal(to_shown(planes), to_shown(noise(have) * 0 + planes))


def test_what_is_shown_of_many_channels() -> None:
    for channels, shown, note in ((2, 1, " (channel 1 of 2)"), (5, 3, " (channels 1-3 of 5)"), (16, 3, None)):
        image = noise(channels)
        np.testing.assert_array_equal(to_shown(image), image[..., :shown])
        assert shown_note(channels) == (note or " (channels 1-3 of 16)")
    for channels, shown in ((1, 1), (3, 3), (4, 3)):
        image = noise(channels)
        np.testing.assert_array_equal(to_shown(image), to_channels(image, shown))
        assert shown_note(channels) == ""
