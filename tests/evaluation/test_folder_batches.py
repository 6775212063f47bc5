"""Two folders of images as batches: what belongs together, and what is said about the rest."""

import os

import numpy as np
import pytest
from small_run import picture

from gan_zoo.errors import UserError
from gan_zoo.evaluation.folder_batches import FolderBatches
from gan_zoo.images import encode_png, to_channels


@pytest.fixture
def folders(tmp_path):
    """Names the two folders, and writes pictures or other bytes into them."""

    def write(**contents):
        for folder, files in contents.items():
            for name, content in files.items():
                path = tmp_path / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else encode_png(content))
        return tmp_path / "made", tmp_path / "real"

    return write


def test_pairs_by_path_without_suffix(folders) -> None:
    images = {name: picture(12, 10) for name in ("a", "in/b", "in/c d", "e")}
    made, real = folders(
        made={f"{name}.png": image for name, image in images.items()},
        real={f"{name}.PNG": 255 - image for name, image in images.items()},
    )
    (made / "notes.txt").write_text("no image")
    (made / ".hidden.png").write_text("nor this")
    both = FolderBatches(made, real)
    assert both.num_pairs == 4 and both.names == ["a", "e", "in/b", "in/c d"]
    assert both.fields == {"names", "outputs", "targets"}
    batches = list(both.batches(3))
    assert [len(batch.names) for batch in batches] == [3, 1]
    for batch in batches:
        assert batch.fields == both.fields
        for name, output, target in zip(batch.names, batch.outputs, batch.targets, strict=True):
            np.testing.assert_array_equal(output, images[name])
            np.testing.assert_array_equal(target, 255 - images[name])
    assert sorted(image.sum() for image in both.reference_images()) == sorted(
        (255 - image).sum(dtype=np.int64) for image in images.values()
    )
    assert both.skipped == {}
    assert FolderBatches(made, real, num_images=2).names == ["a", "e"]
    assert FolderBatches(made, real, num_images=2).skipped == {}


def test_all_that_is_wrong_is_named(folders) -> None:
    good, other = picture(12, 12), picture(12, 12)
    made, real = folders(
        made={
            "good.png": good,
            "alone.png": picture(9, 9),
            "size.png": good,
            "grey.png": good,
            "cut.png": encode_png(good)[:60],
            "cut partner.png": good,
            "empty.jpg": b"",
            "both.png": b"",
        },
        real={
            "good.png": other,
            "alone too.png": other,
            "size.png": picture(12, 13),
            "grey.png": good[..., :1],
            "cut.png": other,
            "cut partner.jpg": b"hello",
            "empty.jpg": encode_png(other),
            "both.png": b"hello",
        },
    )
    os.symlink(made / "nowhere", made / "link.png")
    both = FolderBatches(made, real)
    batches = list(both.batches(8))
    outputs = {name: batch for batch in batches for name in batch.names}
    assert set(outputs) == {"good", "alone", "size", "grey", "cut partner"}
    assert [name for name, batch in outputs.items() if batch.targets is not None] == ["good"]
    assert (
        both.skipped[str(real / "both.png")] == "not a PNG, JPEG, TIFF, WebP, BMP or GIF image"
    )  # before any other reading
    assert len(list(both.reference_images())) == 6
    sets_only = "; it counts only where sets are compared"
    assert both.skipped == {
        str(made / "alone.png"): f"has no partner in {real}{sets_only}",
        str(made / "link.png"): "cannot be read: No such file or directory",
        str(real / "alone too.png"): f"has no partner in {made}{sets_only}",
        str(made / "size.png"): f"has 12x12 pixels, its partner {real / 'size.png'} has 13x12{sets_only}",
        str(made / "grey.png"): (
            f"has 3 channels (RGB), its partner {real / 'grey.png'} has 1 channel (grey){sets_only}"
        ),
        str(made / "cut.png"): "a truncated or damaged PNG file",
        str(made / "empty.jpg"): "an empty file",
        str(made / "both.png"): "an empty file",
        str(real / "both.png"): "not a PNG, JPEG, TIFF, WebP, BMP or GIF image",
        str(made / "cut partner.png"): f"its partner {real / 'cut partner.jpg'} cannot be used{sets_only}",
        str(real / "cut partner.jpg"): "not a PNG, JPEG, TIFF, WebP, BMP or GIF image",
    }


def test_batches_have_one_size_and_few_images_wait(folders) -> None:
    sides = [8, 9, 8, 10, 9, 8, 11, 12, 13, 14, 15, 16, 8]
    made, real = folders(
        made={f"{number:02}.png": picture(side, 8) for number, side in enumerate(sides)}, real={"x.png": picture(8, 8)}
    )
    both = FolderBatches(made, real)
    assert both.num_pairs == 0 and both.fields == {"names", "outputs"}
    found = [(batch.names, batch.outputs.shape[1]) for batch in both.batches(2)]
    assert sorted(name for names, _ in found for name in names) == [f"{number:02}" for number in range(len(sides))]
    assert all({sides[int(name)] for name in names} == {side} for names, side in found)
    # A pair of 8s and one of 9s; then eight lonely ones wait at most, and the oldest goes first.
    assert [names for names, _ in found[:3]] == [["00", "02"], ["01", "04"], ["03"]]
    assert both.skipped == {}  # nothing has a partner: that is no fault of single files


def test_channels_and_depth(folders) -> None:
    grey, deep, alpha = picture(9, 8, 1), np.full((9, 8, 3), 40000, np.uint16), picture(9, 8, 4)
    files = {"alpha.png": alpha, "deep.png": deep, "grey.png": grey}
    made, real = folders(made=files, real=files)
    both = FolderBatches(made, real)
    (batch,) = both.batches(4)
    assert batch.outputs.shape == (3, 9, 8, 3) and batch.outputs.dtype == np.uint8 and both.skipped == {}
    np.testing.assert_array_equal(batch.outputs, batch.targets)
    np.testing.assert_array_equal(batch.outputs[0], to_channels(alpha, 3))
    assert (batch.outputs[1] == 156).all()  # 40000 / 257 = 155.6
    np.testing.assert_array_equal(batch.outputs[2], np.repeat(grey, 3, axis=-1))


def test_names_that_differ_in_their_suffix_alone_keep_it(folders) -> None:
    images = {name: picture(8, 8) for name in ("a.png", "a.jpg", "b.png")}
    made, real = folders(made=images, real=images)
    assert FolderBatches(made, real).names == ["a.jpg", "a.png", "b"]
    assert FolderBatches(made, real).num_pairs == 3


def test_what_translate_py_writes_goes_with_the_pictures_that_it_was_given(folders) -> None:
    def image(value):
        return np.full((8, 8, 3), value, np.uint8)

    made, real = folders(
        made={
            "contact_sheet.png": picture(20, 20),
            "flowers_translation.png": image(1),
            "two.jpg_translation.png": image(2),  # of two files that differ in their suffix
            "in/both.png": image(3),
            "in/both_translation.png": image(4),
            "full_translation.png": image(5),
            "one_sample_1.png": image(6),
        },
        real={name: image(9) for name in ("flowers.png", "two.jpg", "two.png", "in/both.png", "full.png", "one.png")}
        | {"full_translation.png": image(9)},
    )
    both = FolderBatches(made, real)
    pairs = {
        name: (int(batch.outputs[row].max()), batch.targets is not None)
        for batch in both.batches(4)
        for row, name in enumerate(batch.names)
    }
    assert pairs == {
        "flowers": (1, True),
        "two.jpg": (2, True),
        "in/both": (3, True),
        "in/both_translation": (4, False),
        "full_translation": (5, True),
        "one_sample_1": (6, False),
    }
    assert both.num_pairs == 4 and str(made / "contact_sheet.png") not in both.skipped
    assert FolderBatches(made, real, num_images=1).num_pairs == 1


def test_refusals(folders) -> None:
    made, real = folders(made={"a.png": picture(8, 8)}, real={"notes.txt": b"hello"})
    with pytest.raises(UserError, match=r"--generated: there is no folder .*none"):
        FolderBatches(made / "none", real)
    with pytest.raises(UserError, match=r"--reference: no file in .*real ends in \.png"):
        FolderBatches(made, real)


def test_the_names_of_the_authors_test_script_find_each_other(folders) -> None:
    kinds = ("real_A", "fake_B", "real_B", "rec_A")
    images = {f"{name}_{kind}.png": picture(8, 8) for name in ("1", "in/2") for kind in kinds}
    made, real = folders(made=images, real={"1.png": picture(8, 8), "in/2.png": picture(8, 8)})
    for reference, suffix in ((made, "_real_B.png"), (real, ".png")):
        both = FolderBatches(made, reference)
        assert both.num_pairs == len(both.names) == 2 and both.skipped == {}
        outputs = {
            name: output for batch in both.batches(2) for name, output in zip(batch.names, batch.outputs, strict=True)
        }
        for name, output in outputs.items():
            np.testing.assert_array_equal(output, images[f"{name.removesuffix('_real_B')}_fake_B.png"])
        assert {f"{name.removesuffix('_real_B')}{suffix}" for name in outputs} == {f"1{suffix}", f"in/2{suffix}"}
        assert len(list(both.reference_images())) == 2


def test_each_file_once_and_what_cannot_be_read_by_name(folders) -> None:
    made, real = folders(made={"a.png": picture(8, 8), "x/b.png": picture(8, 8)}, real={"a.png": picture(8, 8)})
    (made / "self").symlink_to(".")
    (made / "z.png").symlink_to("a.png")
    (made / "@eaDir").mkdir()
    (made / "@eaDir" / "a.png").write_bytes(b"thumbnail")
    (made / "phone.heic").write_bytes(b"heic")
    for name in ("x/b.png", "c.png"):  # one truth of several
        (real / name).parent.mkdir(exist_ok=True)
        (real / name).symlink_to(real / "a.png")
    both = FolderBatches(made, real)
    assert both.names == ["a", "x/b"] and both.num_pairs == 2
    assert len(list(both.reference_images())) == 1
    assert [(path, reason.split(",")[0]) for path, reason in both.skipped.items()] == [
        (str(made / "phone.heic"), "a HEIC photo"),
        (str(real / "c.png"), f"has no partner in {made}; it counts only where sets are compared"),
    ]
