"""Runs on files of 16 bit that hold less: they answer in the numbers of their files, of 16 bit."""

import numpy as np
from small_run import run_translate, save_run, small
from test_translate import Negate
from tiny_runs import EightPictures, assert_one_line, run_train, use_eight_pictures

import gan_zoo
from gan_zoo.images import decode_image, encode_png
from gan_zoo.translation.painting import Painter
from gan_zoo.translation.trained import TrainedModel, way_of

TWELVE_BITS = np.random.default_rng(0).integers(0, 4096, (24, 16, 3)).astype(np.uint16)
RANGES = (4095, 1023)


def test_answers_have_the_numbers_of_the_targets() -> None:
    painter = Painter("run", Negate, ranges=RANGES)
    (filled,) = painter.translations(TWELVE_BITS, "a.png").values()
    assert filled.dtype == np.uint16
    np.testing.assert_allclose(filled, 65535 - TWELVE_BITS * (65535 / 4095), atol=1.0)
    wanted = np.round((4095 - TWELVE_BITS) * (1023 / 4095))
    np.testing.assert_allclose(painter.as_in_files("translation", filled), wanted, atol=1.0)
    assert painter.as_in_files("translation", filled).max() == 1023
    # Nothing was said: 8 bit, all but white.
    (plain,) = Painter("run", Negate).translations(TWELVE_BITS, "a.png").values()
    assert plain.dtype == np.uint8 and plain.min() >= 239

    model = TrainedModel({"translate": way_of(Negate, RANGES)}, None, 0)
    np.testing.assert_allclose(model.translate(TWELVE_BITS), wanted, atol=1.0)
    eight = (TWELVE_BITS >> 4).astype(np.uint8)
    np.testing.assert_array_equal(model.translate(eight), 255 - eight)


def test_each_side_of_a_model_has_its_range() -> None:
    ranges = {"input_range": 4095, "target_range": 1023}
    model = small("cyclegan", **ranges)
    found = {name: model.ranges_of(translator) for name, translator in model.translators.items()}
    assert found == {"a_to_b": (4095, 1023), "b_to_a": (1023, 4095)}
    model = small("colorization", **ranges)  # the input is made of the target
    assert model.ranges_of(model.translators["translate"]) == (1023, 1023)


def test_a_run_answers_with_files_of_16_bit(tmp_path, capsys) -> None:
    model = small("pix2pix", input_range=4095, target_range=4095, dropout=False)
    save_run(tmp_path / "run", model, name="pix2pix")
    (tmp_path / "in.png").write_bytes(encode_png(TWELVE_BITS))
    words = [f"--workdir={tmp_path / 'run'}", f"--input={tmp_path / 'in.png'}", f"--output={tmp_path / 'out'}"]
    assert run_translate(capsys, *words)[0] == 0
    answer = decode_image((tmp_path / "out" / "in_translation.png").read_bytes())
    assert answer.dtype == np.uint16 and answer.shape == TWELVE_BITS.shape and 1000 < answer.max() <= 4095
    np.testing.assert_array_equal(gan_zoo.load(tmp_path / "run").translate(TWELVE_BITS), answer)
    sheet = decode_image((tmp_path / "out" / "contact_sheet.png").read_bytes())
    places = np.lib.stride_tricks.sliding_window_view(sheet, TWELVE_BITS.shape)
    for shown in (TWELVE_BITS, answer):  # as bright as the run sees them
        filled = np.round(shown * (255 / 4095))
        assert (np.abs(places - filled).max((-3, -2, -1)) <= 1).any()


class TwelveBits(EightPictures):
    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {key: image.astype(np.uint16) * 16 for key, image in super().__getitem__(index).items()}


def test_training_begins_with_a_note(monkeypatch, tmp_path) -> None:
    use_eight_pictures(monkeypatch, TwelveBits())
    words = ["--model=pix2pix", "--dataset=eight", "--steps=1", "--sample_every=0", "--evaluate_every=0"]
    result = run_train(*words, f"--workdir={tmp_path / 'run'}", "--set", "input_range=4095")
    notes = [line for line in result.out.splitlines() if line.startswith("note: ")]
    assert result.code == 0 and len(notes) == 1, result
    assert "target_image: files of 16 bit that reach 4080 of 65535" in notes[0] and "target_range=4095" in notes[0]


def test_a_made_input_has_no_range_of_its_own(tmp_path) -> None:
    for model in ("colorization", "srgan"):
        result = run_train(f"--model={model}", f"--workdir={tmp_path / 'run'}", "--set", "input_range=4095")
        assert_one_line(result, 2, "input_range has no effect with an input that is made of the target")
