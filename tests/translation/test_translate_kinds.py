"""translate.py with what takes seeds, and with what leads there and back."""

import numpy as np
import pytest
import tensorflow as tf
from small_run import picture, read, run_translate, save_run, seeded_translator, small, there_and_back

from gan_zoo.errors import UserError
from gan_zoo.images import encode_png, to_channels
from gan_zoo.translation import painted_files, painting, translating


def test_a_translator_that_takes_seeds(tmp_path):
    translator, image = seeded_translator(), picture(21, 30)

    def draw(name="a.png", **settings):
        return painting.Painter("run", translator, **settings).translations(image, name)

    assert list(draw()) == ["translation"]
    samples = draw(num_samples=3)
    assert list(samples) == ["sample 1", "sample 2", "sample 3"]
    np.testing.assert_array_equal(draw()["translation"], samples["sample 1"])
    others = [draw("b.png"), draw(seed=1), draw(sync=True), draw(sync=True, seed=1)]
    made = [*samples.values(), *(other["translation"] for other in others)]
    assert len({array.tobytes() for array in made}) == 7
    # The first with a common seed is the answer to that seed: with 0 that of `serving_default`.
    answer = tf.function(lambda pixels: translating.translate(translator, pixels))
    deterministic = answer(tf.constant(image)[tf.newaxis])[0]
    np.testing.assert_array_equal(draw("b.png", sync=True)["translation"], deterministic)

    (tmp_path / "a.png").write_bytes(encode_png(image))
    for num_samples, titles in [(None, ["translation"]), (2, ["sample_1", "sample_2"])]:
        painter = painting.Painter("run", translator, num_samples=num_samples)
        output = tmp_path / f"{num_samples}"
        assert painted_files.paint_files([tmp_path / "a.png"], [painter], output, lambda line: None) == {}
        assert {path.name for path in output.iterdir()} == {"contact_sheet.png", *(f"a_{t}.png" for t in titles)}
        np.testing.assert_array_equal(read(output / f"a_{titles[0]}.png"), samples["sample 1"])
    with pytest.raises(UserError, match="nothing to do"):
        painting.Painter("run", translator, num_samples=0)
    with pytest.raises(UserError, match="no z"):
        painting.Painter("run", translator, num_frames=3)


@pytest.mark.parametrize("name", ["a_to_b", "b_to_a"])
def test_there_and_back(name, tmp_path):
    translator = there_and_back()[name]
    painter = painting.Painter("run", translator, direction=name, cycle=True)
    image = picture(33, 100, translator.input_channels)
    (tmp_path / "x.png").write_bytes(encode_png(image))
    assert painted_files.paint_files([tmp_path / "x.png"], [painter], tmp_path / "out", lambda line: None) == {}
    cycled, translated = (read(tmp_path / "out" / f"x_{name}{end}.png") for end in ("_cycled", ""))
    assert cycled.shape == image.shape and translated.shape == (33, 100, translator.output_channels)

    there, back = translator.networks.values()
    # Padded by reflection: the border pixel is not repeated.
    x = np.pad(image.astype(np.float32) / 127.5 - 1, [(1, 2), (0, 0), (0, 0)], "reflect")[np.newaxis]
    for path, output in [(translated, there(x)), (cycled, back(there(x)))]:
        expected = np.round((output.numpy()[0, 1:-2] + 1) * 127.5)
        np.testing.assert_allclose(path.astype(np.float32), expected, atol=1)  # kernels differ in the last bit
        assert np.std(path) > 10

    sheet = read(tmp_path / "out" / "contact_sheet.png")
    assert sheet.shape[1] >= 3 * 100  # input, translation, cycled
    np.testing.assert_array_equal(sheet[-33:, -100:], to_channels(cycled, 3))


def test_a_run_of_pix2pix(tmp_path, capsys):
    save_run(tmp_path / "run", small("pix2pix", image_size=64), name="pix2pix")
    (tmp_path / "a.png").write_bytes(encode_png(picture(36, 33)))
    places = [f"--workdir={tmp_path / 'run'}", f"--input={tmp_path / 'a.png'}", f"--output={tmp_path / 'out'}"]
    code, _, err = run_translate(capsys, *places, "--num_samples=2")
    assert (code, err) == (0, "")
    first, second = (read(tmp_path / "out" / f"a_sample_{number}.png") for number in (1, 2))
    assert first.shape == (36, 33, 3) and (first != second).any()


def test_a_run_of_cyclegan(tmp_path, capsys):
    model, image = small("cyclegan"), picture(36, 33)
    save_run(tmp_path / "run", model, name="cyclegan")
    (tmp_path / "a.png").write_bytes(encode_png(image))
    places = [f"--workdir={tmp_path / 'run'}", f"--input={tmp_path / 'a.png'}", f"--output={tmp_path / 'out'}"]
    code, _, err = run_translate(capsys, *places, "--translator=b_to_a", "--cycle")
    assert (code, err) == (0, "")
    translator = model.translators["b_to_a"]
    for title, function in [("b_to_a", translating.translate), ("b_to_a_cycled", translating.cycle)]:
        expected = tf.function(lambda x, function=function: function(translator, x))(image[np.newaxis])[0]
        np.testing.assert_array_equal(read(tmp_path / "out" / f"a_{title}.png"), expected)
    code, _, err = run_translate(capsys, *places, "--num_samples=2")
    assert code == 2 and err.count("\n") == 1 and "--num_samples: the model of run has one answer" in err
