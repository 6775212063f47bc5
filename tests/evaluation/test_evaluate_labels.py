"""A run on labelled images: trained with checks and sample pictures, and evaluated."""

import json

import numpy as np
import pytest
import tensorflow as tf
from evaluate_run import figures, read_record, run_evaluate
from small_run import read
from tiny_runs import EightPictures, labelled, run_train, use_eight_pictures

import gan_zoo
from gan_zoo.errors import UserError
from gan_zoo.evaluation.translated_batches import evaluation_label
from gan_zoo.images import to_float, to_uint8
from gan_zoo.metrics.psnr import psnr
from gan_zoo.runs.loading import load_run


@pytest.fixture
def eagerly():
    """For a few steps that is faster."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_checks_pictures_and_figures(tmp_path, monkeypatch, eagerly) -> None:
    use_eight_pictures(monkeypatch, flip=False, load_scale=1.0)
    words = ["--model=stargan", "--dataset=eight", f"--workdir={tmp_path / 'run'}", "--steps=2"]
    result = run_train(*words, "--sample_every=2", "--evaluate_every=2")
    assert result.code == 0, result
    line = json.loads((tmp_path / "run" / "health.jsonl").read_text().splitlines()[-1])
    assert {"cycle_psnr", "identity_distance"} < line["figures"].keys()
    assert read(tmp_path / "run" / "samples" / "step_2.png").shape[1] >= 5 * 32  # input, three labels, cycled

    result = run_evaluate(f"--workdir={tmp_path / 'run'}", "--metrics=cycle_psnr,identity_distance", "--seed=3")
    assert result.code == 0, result
    found = figures(read_record(tmp_path / "run" / "evaluation", step=2))
    _, model, _ = load_run(tmp_path / "run")
    source = labelled(EightPictures())
    image = to_float(tf.constant(np.stack([source[index]["target_image"] for index in range(8)])))
    own = tf.constant(np.stack([source.label_of(index) for index in range(8)]))
    given = evaluation_label(model.translators["translate"], own, tf.range(8, dtype=tf.int64), seed=3)
    there = model.translate(image, given)
    back = psnr(to_uint8(model.translate(there, own)).numpy(), to_uint8(image).numpy()).mean()
    moved = np.abs(to_uint8(there).numpy().astype(float) - to_uint8(image).numpy()).mean() / 255
    assert found == pytest.approx(
        {"cycle_psnr": back, "identity_distance": moved}, rel=1e-3
    )  # a level of rounding here and there


def test_a_source_from_python(tmp_path, eagerly) -> None:
    source = labelled(EightPictures())
    settings = {"image_size": 32, "batch_size": 2, "base_filters": 2, "num_blocks": 0, "discriminator_filters": 2}
    settings |= {
        "discriminator_layers": 2,
        "n_critic": 1,
        "steps": 1,
        "workdir": tmp_path / "run",
        "say": lambda line: None,
    }
    with pytest.raises(UserError, match="the names of the labels are needed"):
        gan_zoo.train(model="stargan", source=source, **settings)
    with pytest.raises(UserError, match="stargan has 2 labels, a, b; the source gives 3"):
        gan_zoo.train(model="stargan", source=source, classes="a,b", **settings)
    with pytest.raises(UserError, match="stargan learns from labelled images, the source has paired ones"):
        gan_zoo.train(model="stargan", source=EightPictures(), classes="a,b", **settings)
    zoo = gan_zoo.train(
        model="stargan", source=source, classes="red,green,blue", sample_every=0, evaluate_every=0, **settings
    )
    assert zoo.translate(source[0]["target_image"], label="green").shape == (32, 32, 3)
